// `4bit` and `8bit` in plain TypeScript: every operation rounded to float32 where bitsandbytes rounds.

import { DYNAMIC_MAP, DYNAMIC_ZERO, midpointsOf, NF4_MAP, NF4_ZERO } from '../code-maps.js';
import { BLOCK_LENGTH_4BIT, BLOCK_LENGTH_8BIT } from '../format.js';
import type { CodeBlocks, CodeFormat, EncodeResult } from '../kernels.js';
import { SumsOfBlocks } from './sums-of-blocks.js';

/** Least divisor of a block, so that a block of zeros divides. */
const LEAST_ABSMAX = Math.fround(1e-38);

const CODINGS = {
  '4bit': { map: NF4_MAP, midpoints: midpointsOf(NF4_MAP), zero: NF4_ZERO, blockLength: BLOCK_LENGTH_4BIT },
  '8bit': {
    map: DYNAMIC_MAP,
    midpoints: midpointsOf(DYNAMIC_MAP),
    zero: DYNAMIC_ZERO,
    blockLength: BLOCK_LENGTH_8BIT,
  },
} as const;

/** `blockLength`: default that of the format. */
export function encodeCodeBlocks(
  format: CodeFormat,
  values: Float32Array,
  to: { codes: Uint8Array; absmax: Float32Array },
  blockLength: number = CODINGS[format].blockLength,
): EncodeResult {
  const { map, midpoints, zero } = CODINGS[format];
  const sums = new SumsOfBlocks();
  const indices = new Uint8Array(format === '4bit' ? values.length + (values.length % 2) : 0).fill(zero);
  const codes = format === '4bit' ? indices : to.codes;
  for (let block = 0, first = 0; first < values.length; block++, first += blockLength) {
    const count = Math.min(blockLength, values.length - first);
    const absmax = absoluteMaximum(values, first, count);
    if (!Number.isFinite(absmax)) {
      to.absmax[block] = NaN;
      codes.fill(zero, first, first + count);
      sums.nonFiniteBlock(values, first, count);
      continue;
    }
    const divisor = Math.max(absmax, LEAST_ABSMAX);
    const whole = count === blockLength;
    const inverse = Math.fround(1 / divisor);
    to.absmax[block] = whole ? absmax : divisor;
    sums.startBlock(whole ? absmax : divisor);
    for (let i = first; i < first + count; i++) {
      const value = values[i] ?? 0;
      const quotient = Math.fround(whole ? value * inverse : value / divisor);
      const scaled = Math.min(Math.max(quotient, -1), 1);
      const code = countBelow(midpoints, scaled);
      codes[i] = code;
      sums.add(scaled, map[code] ?? 0);
    }
  }
  if (format === '4bit') packNibbles(indices, to.codes);
  return sums.result();
}

export function decodeCodeBlocks(blocks: CodeBlocks, to: Float32Array): void {
  const { codes, map, absmax, blockLength, offset } = blocks;
  for (let i = 0; i < to.length; i++) {
    const code = map.length === 16 ? ((codes[i >> 1] ?? 0) >> (i % 2 === 0 ? 4 : 0)) & 15 : (codes[i] ?? 0);
    const product = Math.fround((map[code] ?? 0) * (absmax[Math.floor(i / blockLength)] ?? 0));
    to[i] = offset === undefined ? product : product + offset;
  }
}

/** NaN and Inf stay what they are. */
export function absoluteMaximum(values: Float32Array, first: number, count: number): number {
  let most = 0;
  for (let i = first; i < first + count; i++) {
    const magnitude = Math.abs(values[i] ?? 0);
    if (Number.isNaN(magnitude)) return NaN;
    if (magnitude > most) most = magnitude;
  }
  return most;
}

/** How many of the ascending midpoints lie strictly below `value`. */
function countBelow(midpoints: Float32Array, value: number): number {
  let low = 0;
  let high = midpoints.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((midpoints[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function packNibbles(indices: Uint8Array, to: Uint8Array): void {
  for (let i = 0; i < to.length; i++) to[i] = ((indices[2 * i] ?? 0) << 4) | (indices[2 * i + 1] ?? 0);
}
