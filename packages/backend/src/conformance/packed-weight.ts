// Random weights in packed formats: any bits are values, and factors are kept where sums stay within float32.

import { blockElementsOf, byteLengthOf, isGguf, type PackedDType } from '../dtype.js';
import type { LosslessPacking, WeightPacking, WeightSpan } from '../packing.js';
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

/** Rows that share a factor in gptq4 and awq4, and columns that do in int8 and int4: vectors end within groups. */
const GROUP_ROWS = 16;
const GROUP_COLS = 56;
/** Groups beyond those that rows in order would have. */
const SPARE_GROUPS = 2;

/** Elements of a block of codes, and those before the slice: blocks begin within bytes, vectors and rows. */
const CODE_BLOCKS = {
  code4: { blockLength: 32, first: 7 },
  code8: { blockLength: 600, first: 599 },
} as const;

/** Bytes before everything, so that nothing is aligned. */
const OFFSETS = { weight: 1, first: 3, second: 7, third: 2, fourth: 1 };

export interface PackedContent {
  readonly rows: number;
  /** A multiple of 256, or of the format's block. */
  readonly cols: number;
  readonly random: Random;
}

/** A weight [rows, cols] in `dtype`. Values are below 10 or so. */
export function packedWeight(bench: Workbench, dtype: PackedDType, content: PackedContent): WeightSlice {
  const { rows, cols, random } = content;
  const bytes = randomBytes(random, byteLengthOf(dtype, rows * cols));
  const blockBytes = byteLengthOf(dtype, blockElementsOf(dtype));
  for (const place of HALVES[dtype] ?? []) {
    for (let at = place; at < bytes.length; at += blockBytes) {
      bytes.set(encodeWeights('f16', factors(random, 1, 1e-4)), at);
    }
  }
  const weight = bench.weightOfBytes(dtype, [rows, cols], { bytes, byteOffset: OFFSETS.weight });
  const packing = isGguf(dtype) ? undefined : packingOf(bench, dtype, content);
  return packing ? { ...weight, packing } : weight;
}

function packingOf(
  bench: Workbench,
  kind: WeightPacking['kind'],
  { rows, cols, random }: PackedContent,
): WeightPacking {
  const span = (bytes: Uint8Array, byteOffset: number): WeightSpan =>
    bench.weightOfBytes('f32', [1, 1], { bytes, byteOffset });
  const floats = (values: Float32Array, byteOffset: number) => span(encodeWeights('f32', values), byteOffset);
  switch (kind) {
    case 'mxfp4': {
      const scales = Uint8Array.from({ length: (rows * cols) / 32 }, () => 117 + random.below(12));
      return { kind, scales: span(scales, OFFSETS.first) };
    }
    case 'code4': {
      const { blockLength, first } = CODE_BLOCKS[kind];
      const blocks = Math.ceil((first + rows * cols) / blockLength);
      const nested = { first: 37, blockLength: 64, offset: Math.fround(0.3) };
      const outer = Math.ceil((nested.first + blocks) / nested.blockLength);
      return {
        kind,
        codes: floats(random.normals(16), OFFSETS.first),
        blockLength,
        first,
        absmax: span(randomBytes(random, blocks), OFFSETS.second),
        nested: {
          codes: floats(random.normals(256), OFFSETS.third),
          absmax: floats(factors(random, outer, 0.1), OFFSETS.fourth),
          ...nested,
        },
      };
    }
    case 'code8': {
      const { blockLength, first } = CODE_BLOCKS[kind];
      const blocks = Math.ceil((first + rows * cols) / blockLength);
      return {
        kind,
        codes: floats(random.normals(256), OFFSETS.first),
        blockLength,
        first,
        absmax: floats(factors(random, blocks, 1), OFFSETS.second),
        nested: undefined,
      };
    }
    case 'gptq4':
    case 'awq4': {
      const inOrder = Math.ceil(rows / GROUP_ROWS);
      const groups = inOrder + (kind === 'gptq4' ? SPARE_GROUPS : 0);
      const groupOf = Int32Array.from({ length: rows }, () => random.below(groups));
      return {
        kind,
        scales: span(encodeWeights('f16', factors(random, groups * cols, 0.1)), OFFSETS.first),
        scaleDType: 'f16',
        zeros: span(randomBytes(random, (groups * cols) / 2), OFFSETS.second),
        groupRows: GROUP_ROWS,
        // Both kinds of gptq4: rows in the order of their groups, and those of longer weights in any.
        rowGroups:
          kind === 'gptq4' && inOrder > 2
            ? { indices: span(new Uint8Array(groupOf.buffer), OFFSETS.third), count: groups }
            : undefined,
      };
    }
    case 'int8':
    case 'int4': {
      const scales = factors(random, rows * Math.ceil(cols / GROUP_COLS), kind === 'int8' ? 0.02 : 0.3);
      return { kind, scales: floats(scales, OFFSETS.first), groupCols: GROUP_COLS };
    }
    case 'bf16z':
      return { kind, ...losslessPlanes({ rows, cols, random }, span) };
  }
}

/** Exponents of values between 2⁻²⁰ and 4, all codes as often as each other; half of the rows run out of escapes. */
function losslessPlanes(
  { rows, cols, random }: PackedContent,
  span: (bytes: Uint8Array, byteOffset: number) => WeightSpan,
): Omit<LosslessPacking, 'kind'> {
  const groups = Math.ceil(cols / 64);
  const codes = randomBytes(random, rows * groups * 24);
  for (let row = 0; row < rows; row++) {
    for (let c = cols; c < groups * 64; c++) {
      for (let plane = 0; plane < 3; plane++) {
        const at = (row * groups + groups - 1) * 24 + plane * 8 + ((c % 64) >> 3);
        codes[at] = (codes[at] ?? 0) & ~(1 << (c & 7));
      }
    }
  }
  const escapeBytes = 1 + Math.ceil(cols / 8);
  const escapes = Uint8Array.from({ length: rows * escapeBytes }, (_, i) =>
    i % escapeBytes === 0 ? 120 + random.below(9) : 107 + random.below(22),
  );
  return { codes: span(codes, OFFSETS.first), escapes: span(escapes, OFFSETS.second), escapeBytes };
}

function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(256));
}

/** Within one and two times `size`. */
function factors(random: Random, count: number, size: number): Float32Array {
  return Float32Array.from({ length: count }, () => size * (1 + random.uniform()));
}
