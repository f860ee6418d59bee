// The tensors that a tensor becomes in each format: names, dtypes, shapes. `lossless` has its own file, because its
// sizes follow from the values.

import { QuantizerError } from './errors.js';
import {
  BLOCK_LENGTH_4BIT,
  BLOCK_LENGTH_8BIT,
  BLOCK_LENGTH_NESTED,
  GROUP_COLS,
  type Format,
  type SourceDType,
} from './format.js';
import { matrixShapeOf } from './matrix-shape.js';
import { quantStateByteLength } from './quant-state.js';

/** A safetensors tensor of the encoded form. */
export interface EncodedPlane {
  readonly name: string;
  readonly dtype: 'U8' | 'I8' | 'F32' | 'BF16';
  readonly shape: readonly number[];
  readonly byteLength: number;
}

/** What the sizes of the encoded form follow from. */
export interface EncodedForm {
  /** Name of the source tensor. */
  readonly name: string;
  readonly dtype: SourceDType;
  readonly shape: readonly number[];
  readonly format: Exclude<Format, 'lossless'>;
  /** `4bit` only: factors in 8 bits. Default false. */
  readonly doubleQuantization?: boolean;
}

/**
 * The planes of a tensor in `format`, in the order in which an encoder numbers them; the first one holds the codes and
 * has the source's name. Nothing is read: sizes follow from the shape.
 *
 * @throws QuantizerError `UNSUPPORTED_SHAPE`: dimensions that are no sizes, an odd number of columns for `int4`.
 * @example
 * encodedPlanes({ name: 'w', dtype: 'BF16', shape: [128, 192], format: '8bit' }).map((plane) => plane.name);
 * // ['w', 'w.8bit.absmax', 'w.8bit.code']
 */
export function encodedPlanes(form: EncodedForm): readonly EncodedPlane[] {
  const { name, shape, format } = form;
  const { elements, rows, cols } = matrixShapeOf(name, shape);
  switch (format) {
    case '4bit':
      return planesOf4bit(form, elements);
    case '8bit':
      return [
        plane(name, 'U8', shape),
        plane(`${name}.8bit.absmax`, 'F32', [Math.ceil(elements / BLOCK_LENGTH_8BIT)]),
        plane(`${name}.8bit.code`, 'F32', [256]),
      ];
    case 'int8':
      return [
        plane(name, 'I8', [rows, cols]),
        plane(`${name}.int8.scales`, 'F32', [rows, Math.ceil(cols / GROUP_COLS)]),
      ];
    case 'int4':
      if (cols % 2 !== 0) {
        throw new QuantizerError(
          'UNSUPPORTED_SHAPE',
          `Expected an even number of columns of ${name} for int4 but received ${cols}; use int8 for it`,
          { fields: { tensor: name, shape, format } },
        );
      }
      return [
        plane(name, 'U8', [rows, cols / 2]),
        plane(`${name}.int4.scales`, 'F32', [rows, Math.ceil(cols / GROUP_COLS)]),
      ];
  }
}

/** Makes a plane; its bytes follow from dtype and shape. */
export function plane(name: string, dtype: EncodedPlane['dtype'], shape: readonly number[]): EncodedPlane {
  const elementBytes = dtype === 'F32' ? 4 : dtype === 'BF16' ? 2 : 1;
  return { name, dtype, shape, byteLength: shape.reduce((product, size) => product * size, elementBytes) };
}

function planesOf4bit(form: EncodedForm, elements: number): EncodedPlane[] {
  const { name, doubleQuantization = false } = form;
  const blocks = Math.ceil(elements / BLOCK_LENGTH_4BIT);
  const planes = [
    plane(name, 'U8', [Math.ceil(elements / 2), 1]),
    plane(`${name}.4bit.absmax`, doubleQuantization ? 'U8' : 'F32', [blocks]),
    plane(`${name}.4bit.quant_map`, 'F32', [16]),
    plane(`${name}.4bit.quant_state.bitsandbytes__nf4`, 'U8', [
      quantStateByteLength(form, doubleQuantization),
    ]),
  ];
  if (doubleQuantization) {
    planes.push(
      plane(`${name}.4bit.nested_absmax`, 'F32', [Math.ceil(blocks / BLOCK_LENGTH_NESTED)]),
      plane(`${name}.4bit.nested_quant_map`, 'F32', [256]),
    );
  }
  return planes;
}
