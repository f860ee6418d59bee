// Tensors in the formats of layer shards, with random bytes for contents, since any bytes have values; and those values,
// decoded by the reference from one slice of the whole tensor.

import type { WeightPacking, WeightRef, WeightSlice, WeightSpan } from '@airllm/backend';
import { weightRows } from '@airllm/backend/reference';
import type { Random } from './support.js';

export type PackedFormat =
  '4bit' | '4bit nested' | 'transformers 4-bit' | '8bit' | 'int8' | 'int4' | 'lossless';

export const PACKED_FORMATS: readonly PackedFormat[] = [
  ...(['4bit', '4bit nested', 'transformers 4-bit', '8bit', 'int8', 'int4', 'lossless'] as const),
];

/** A tensor to be written to a file. */
export interface TensorContents {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export interface PackedTensor {
  /** The tensor and its companions. */
  readonly tensors: readonly TensorContents[];
  /** Row-major, of the whole tensor. */
  readonly values: Float32Array;
}

const ESCAPES = 3;

/** @param shape of the weight; leading dimensions are rows */
export function packedTensor(
  format: PackedFormat,
  { name, shape, random }: { name: string; shape: readonly number[]; random: Random },
): PackedTensor {
  const cols = shape.at(-1) ?? 1;
  const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
  const elements = rows * cols;
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.int(0, 255));
  const floats = (length: number): Uint8Array =>
    new Uint8Array(Float32Array.from({ length }, () => random.int(-1000, 1000) / 512).buffer);
  const tensor = (
    suffix: string,
    dtype: string,
    at: readonly number[],
    contents: Uint8Array,
  ): TensorContents => ({
    name: `${name}${suffix}`,
    dtype,
    shape: at,
    bytes: contents,
  });
  const done = (
    dtype: WeightSlice['dtype'],
    tensors: readonly TensorContents[],
    packing: WeightPacking,
  ): PackedTensor => {
    const slice = { ...spanOf(tensors[0]), dtype, rows, cols, packing };
    const valuesOf = weightRows(slice);
    const values = new Float32Array(elements);
    for (let row = 0; row < rows; row++) values.set(valuesOf(row), row * cols);
    return { tensors, values };
  };
  switch (format) {
    case '4bit':
    case '4bit nested':
    case 'transformers 4-bit': {
      const infix = format === 'transformers 4-bit' ? '' : '.4bit';
      const blocks = Math.ceil(elements / 64);
      const isNested = format === '4bit nested';
      const state = {
        ...{ quant_type: 'nf4', blocksize: 64, dtype: 'bfloat16', shape },
        ...(isNested ? { nested_blocksize: 256, nested_dtype: 'float32', nested_offset: 0.25 } : {}),
      };
      const json = new TextEncoder().encode(JSON.stringify(state));
      const own = [
        tensor('', 'U8', [Math.ceil(elements / 2), 1], bytes(Math.ceil(elements / 2))),
        tensor(`${infix}.quant_map`, 'F32', [16], floats(16)),
        isNested
          ? tensor(`${infix}.absmax`, 'U8', [blocks], bytes(blocks))
          : tensor(`${infix}.absmax`, 'F32', [blocks], floats(blocks)),
        tensor(`${infix}.quant_state.bitsandbytes__nf4`, 'U8', [json.length], json),
      ] as const;
      const outerBlocks = Math.ceil(blocks / 256);
      const nested = [
        tensor(`${infix}.nested_quant_map`, 'F32', [256], floats(256)),
        tensor(`${infix}.nested_absmax`, 'F32', [outerBlocks], floats(outerBlocks)),
      ] as const;
      return done('code4', isNested ? [...own, ...nested] : own, {
        kind: 'code4',
        codes: spanOf(own[1]),
        blockLength: 64,
        first: 0,
        absmax: spanOf(own[2]),
        nested: isNested
          ? { codes: spanOf(nested[0]), absmax: spanOf(nested[1]), blockLength: 256, offset: 0.25, first: 0 }
          : undefined,
      });
    }
    case '8bit': {
      const blocks = Math.ceil(elements / 2048);
      const own = [
        tensor('', 'U8', shape, bytes(elements)),
        tensor('.8bit.absmax', 'F32', [blocks], floats(blocks)),
        tensor('.8bit.code', 'F32', [256], floats(256)),
      ] as const;
      return done('code8', own, {
        kind: 'code8',
        codes: spanOf(own[2]),
        blockLength: 2048,
        first: 0,
        absmax: spanOf(own[1]),
        nested: undefined,
      });
    }
    case 'int8':
    case 'int4': {
      const groups = Math.ceil(cols / 128);
      const own = [
        format === 'int8'
          ? tensor('', 'I8', [rows, cols], bytes(elements))
          : tensor('', 'U8', [rows, cols / 2], bytes(elements / 2)),
        tensor(`.${format}.scales`, 'F32', [rows, groups], floats(rows * groups)),
      ] as const;
      return done(format, own, { kind: format, scales: spanOf(own[1]), groupCols: 128 });
    }
    case 'lossless': {
      const codeBytes = 24 * Math.ceil(cols / 64);
      const own = [
        tensor('', 'U8', [rows, cols], bytes(elements)),
        tensor('.lossless.codes', 'U8', [rows, codeBytes], bytes(rows * codeBytes)),
        tensor('.lossless.escapes', 'U8', [rows, 1 + ESCAPES], bytes(rows * (1 + ESCAPES))),
      ] as const;
      const [, codes, escapes] = own;
      const packing = { codes: spanOf(codes), escapes: spanOf(escapes), escapeBytes: 1 + ESCAPES };
      return done('bf16z', own, { kind: 'bf16z', ...packing });
    }
  }
}

function spanOf(tensor: TensorContents | undefined): WeightSpan {
  const bytes = tensor?.bytes ?? new Uint8Array();
  return {
    memory: { byteLength: bytes.length, bytes, pageAligned: false, dispose: () => undefined },
    byteOffset: 0,
  };
}

/** Those of a weight that is all of the tensor or a part of it. */
export function valuesOfRef(ref: WeightRef, values: Float32Array): Float32Array {
  const start = ref.source?.start ?? 0;
  return values.subarray(start, start + ref.shape.reduce((a, b) => a * b, 1));
}
