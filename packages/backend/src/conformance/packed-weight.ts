// Random weights in packed formats: any bits are values, and factors are kept where sums stay within float32.

import { blockElementsOf, byteLengthOf, type PackedDType } from '../dtype.js';
import type { WeightPacking, WeightSpan } from '../packing.js';
import type { WeightSlice } from '../weight.js';
import { encodeWeights } from './encode-weights.js';
import type { Random } from './random.js';
import type { Workbench } from './workbench.js';

/** Where a block of a GGUF format holds float16 factors. */
const HALVES: Partial<Record<PackedDType, readonly number[]>> = {
  q8_0: [0],
  q4_0: [0],
  q4_k: [0, 2],
  q6_k: [208],
};

/** Columns that share a factor in code4, and rows that do in gptq4 and awq4. */
const CODE_COLS = 32;
const GROUP_ROWS = 16;

/** Bytes before everything, so that nothing is aligned. */
const OFFSETS = { weight: 1, first: 3, second: 7, third: 2, fourth: 1 };

/** A weight [rows, cols] in `dtype`, cols a multiple of 256. Values are below 10 or so. */
export function packedWeight(
  bench: Workbench,
  dtype: PackedDType,
  { rows, cols, random }: { rows: number; cols: number; random: Random },
): WeightSlice {
  const bytes = randomBytes(random, byteLengthOf(dtype, rows * cols));
  const blockBytes = byteLengthOf(dtype, blockElementsOf(dtype));
  for (const place of HALVES[dtype] ?? []) {
    for (let at = place; at < bytes.length; at += blockBytes) {
      bytes.set(encodeWeights('f16', factors(random, 1, 1e-4)), at);
    }
  }
  const weight = bench.weightOfBytes(dtype, [rows, cols], { bytes, byteOffset: OFFSETS.weight });
  const packing = packingOf(bench, dtype, { rows, cols, random });
  return packing ? { ...weight, packing } : weight;
}

function packingOf(
  bench: Workbench,
  dtype: PackedDType,
  { rows, cols, random }: { rows: number; cols: number; random: Random },
): WeightPacking | undefined {
  const span = (bytes: Uint8Array, byteOffset: number): WeightSpan =>
    bench.weightOfBytes('f32', [1, 1], { bytes, byteOffset });
  const floats = (values: Float32Array, byteOffset: number) => span(encodeWeights('f32', values), byteOffset);
  switch (dtype) {
    case 'q8_0':
    case 'q4_0':
    case 'q4_k':
    case 'q6_k':
      return undefined;
    case 'mxfp4': {
      const scales = Uint8Array.from({ length: (rows * cols) / 32 }, () => 117 + random.below(12));
      return { kind: dtype, scales: span(scales, OFFSETS.first) };
    }
    case 'code4': {
      const blocks = (rows * cols) / CODE_COLS;
      const first = 37;
      const blockLength = 64;
      return {
        kind: dtype,
        codes: floats(random.normals(16), OFFSETS.first),
        blockCols: CODE_COLS,
        absmax: span(randomBytes(random, blocks), OFFSETS.second),
        nested: {
          codes: floats(random.normals(256), OFFSETS.third),
          absmax: floats(factors(random, Math.ceil((first + blocks) / blockLength), 0.1), OFFSETS.fourth),
          blockLength,
          offset: Math.fround(0.3),
          first,
        },
      };
    }
    case 'gptq4':
    case 'awq4': {
      const groups = Math.ceil(rows / GROUP_ROWS);
      return {
        kind: dtype,
        scales: span(encodeWeights('f16', factors(random, groups * cols, 0.1)), OFFSETS.first),
        scaleDType: 'f16',
        zeros: span(randomBytes(random, (groups * cols) / 2), OFFSETS.second),
        groupRows: GROUP_ROWS,
      };
    }
  }
}

function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(256));
}

/** Within one and two times `size`. */
function factors(random: Random, count: number, size: number): Float32Array {
  return Float32Array.from({ length: count }, () => size * (1 + random.uniform()));
}
