// From planes back to values: the whole tensor at once.

import {
  BLOCK_LENGTH_4BIT,
  BLOCK_LENGTH_8BIT,
  BLOCK_LENGTH_NESTED,
  GROUP_COLS,
  type Format,
} from './format.js';
import type { CodeBlocks, IntegerFormat, Kernels, Rows } from './kernels.js';
import { losslessCodeBytes } from './lossless-planes.js';
import { matrixShapeOf } from './matrix-shape.js';
import { openKernels } from './open-kernels.js';
import { parseQuantState } from './quant-state.js';
import { StoredPlanes } from './stored-planes.js';

const STATE = '.4bit.quant_state.bitsandbytes__';

export interface DecodeOptions {
  /** Name of the source tensor. */
  readonly name: string;
  /** Shape of the source tensor. */
  readonly shape: readonly number[];
  readonly format: Format;
  /** Bytes of the planes by their full names, as an encoder names them. */
  readonly planes: ReadonlyMap<string, Uint8Array>;
  /** Default: `openKernels({ threads })`. */
  readonly kernels?: Kernels;
  readonly threads?: number;
}

export interface DecodedTensor {
  /** F32, each value rounded to float32 once; `lossless` gives the BF16 that went in. */
  readonly dtype: 'F32' | 'BF16';
  /** Little-endian, row after row. */
  readonly bytes: Uint8Array;
}

/**
 * Decodes a tensor. `4bit` takes any map of 16 values, so FP4 too, and double quantization where its planes are there.
 *
 * @throws QuantizerError `INVALID_DATA` for a plane that is missing, has another length than the shape asks for, or
 * contradicts itself; `UNSUPPORTED_SHAPE`.
 * @example
 * const { bytes } = await decode({ name: 'w', shape: [128, 192], format: '8bit', planes });
 * const values = new Float32Array(bytes.buffer);
 */
export async function decode(options: DecodeOptions): Promise<DecodedTensor> {
  const { name, shape, format, threads, kernels = openKernels({ threads }) } = options;
  const { elements, rows, cols } = matrixShapeOf(name, shape);
  const planes = new StoredPlanes(name, options.planes);
  switch (format) {
    case '4bit':
    case '8bit': {
      const from =
        format === '4bit' ? await blocksOf4bit(planes, elements, kernels) : blocksOf8bit(planes, elements);
      const values = new Float32Array(elements);
      await kernels.decodeCodes(from, values);
      return { dtype: 'F32', bytes: new Uint8Array(values.buffer) };
    }
    case 'int8':
    case 'int4': {
      const values = new Float32Array(elements);
      await kernels.decodeIntegers(
        format,
        integersOf(planes, format, { rows, cols }),
        { rows, cols },
        values,
      );
      return { dtype: 'F32', bytes: new Uint8Array(values.buffer) };
    }
    case 'lossless':
      return { dtype: 'BF16', bytes: await decodeLossless(planes, { rows, cols }, kernels) };
  }
}

function blocksOf8bit(planes: StoredPlanes, elements: number): CodeBlocks {
  return {
    codes: planes.bytes('', elements),
    map: planes.floats('.8bit.code', 256),
    absmax: planes.floats('.8bit.absmax', Math.ceil(elements / BLOCK_LENGTH_8BIT)),
    blockLength: BLOCK_LENGTH_8BIT,
  };
}

async function blocksOf4bit(planes: StoredPlanes, elements: number, kernels: Kernels): Promise<CodeBlocks> {
  const blocks = Math.ceil(elements / BLOCK_LENGTH_4BIT);
  return {
    codes: planes.bytes('', Math.ceil(elements / 2)),
    map: planes.floats('.4bit.quant_map', 16),
    absmax: planes.has('.4bit.nested_absmax')
      ? await nestedFactors(planes, blocks, kernels)
      : planes.floats('.4bit.absmax', blocks),
    blockLength: BLOCK_LENGTH_4BIT,
  };
}

async function nestedFactors(planes: StoredPlanes, blocks: number, kernels: Kernels): Promise<Float32Array> {
  const factors = new Float32Array(blocks);
  const type = planes.has(`${STATE}fp4`) ? 'fp4' : 'nf4';
  const { blockLength, nestedBlockLength, nestedOffset } =
    parseQuantState(planes.bytes(`${STATE}${type}`)) ?? {};
  if (
    blockLength !== BLOCK_LENGTH_4BIT ||
    nestedBlockLength !== BLOCK_LENGTH_NESTED ||
    nestedOffset === undefined
  ) {
    throw planes.invalid('a state with blocksize 64, nested_blocksize 256 and a nested_offset');
  }
  await kernels.decodeCodes(
    {
      codes: planes.bytes('.4bit.absmax', blocks),
      map: planes.floats('.4bit.nested_quant_map', 256),
      absmax: planes.floats('.4bit.nested_absmax', Math.ceil(blocks / BLOCK_LENGTH_NESTED)),
      blockLength: BLOCK_LENGTH_NESTED,
      offset: nestedOffset,
    },
    factors,
  );
  return factors;
}

function integersOf(
  planes: StoredPlanes,
  format: IntegerFormat,
  { rows, cols }: Rows,
): { codes: Uint8Array; scales: Float32Array } {
  if (format === 'int4' && cols % 2 !== 0) throw planes.invalid('an even number of columns for int4');
  return {
    codes: planes.bytes('', format === 'int8' ? rows * cols : (rows * cols) / 2),
    scales: planes.floats(`.${format}.scales`, rows * Math.ceil(cols / GROUP_COLS)),
  };
}

async function decodeLossless(planes: StoredPlanes, shape: Rows, kernels: Kernels): Promise<Uint8Array> {
  const { rows, cols } = shape;
  if (!planes.has('.lossless.codes')) return planes.bytes('', 2 * rows * cols);
  const bytes = new Uint8Array(2 * rows * cols);
  const escapes = planes.bytes('.lossless.escapes');
  if (escapes.length === 0 || escapes.length % rows !== 0) throw planes.invalid('escapes for each row');
  const from = {
    bytes: planes.bytes('', rows * cols),
    codes: planes.bytes('.lossless.codes', rows * losslessCodeBytes(cols)),
    escapes,
  };
  if (!(await kernels.decodeLossless(from, shape, bytes)))
    throw planes.invalid('as many escapes as there is room for');
  return bytes;
}
