// Double quantization of block factors in plain TypeScript.

import { DYNAMIC_MAP } from '../code-maps.js';
import type { ErrorSums } from '../error-figures.js';
import { BLOCK_LENGTH_NESTED } from '../format.js';
import type { NestedFactors } from '../kernels.js';
import { decodeCodeBlocks, encodeCodeBlocks } from './code-blocks.js';

export function encodeNestedFactors(absmax: Float32Array, to: NestedFactors): ErrorSums & { offset: number } {
  const offset = absmax.length === 0 ? 0 : Math.fround(torchSum(absmax) / absmax.length);
  const centred = absmax.map((factor) => factor - offset);
  encodeCodeBlocks('8bit', centred, to, BLOCK_LENGTH_NESTED);
  const decoded = new Float32Array(absmax.length);
  decodeCodeBlocks({ ...to, map: DYNAMIC_MAP, blockLength: BLOCK_LENGTH_NESTED, offset }, decoded);
  let source = 0;
  let error = 0;
  let cross = 0;
  let largest = 0;
  absmax.forEach((factor, i) => {
    const difference = factor - (decoded[i] ?? 0);
    source += factor * factor;
    error += difference * difference;
    cross += factor * difference;
    largest = Math.max(largest, Math.abs(difference));
  });
  return { offset, source, error, cross, largest };
}

const LANES = 8;
const STREAMS = 4;
const LEVELS = 4;

/**
 * A float32 sum in the order of torch's `sum` on one thread with eight lanes: bytes of double quantization depend on
 * the last bit of the mean. Four streams of lanes go up through four levels of partial sums (`cascade_sum`); then
 * streams, the tail's elements and lanes, in this order.
 */
export function torchSum(values: Float32Array): number {
  const vectors = Math.floor(values.length / LANES);
  const steps = Math.floor(vectors / STREAMS);
  const width = LANES * STREAMS;
  const levels = Array.from({ length: LEVELS }, () => new Float32Array(width));
  const [sums = new Float32Array(width)] = levels;
  const levelBits = Math.max(4, Math.floor(Math.ceil(Math.log2(Math.max(steps, 1))) / LEVELS));
  const levelSteps = 2 ** levelBits;
  for (let step = 1; step <= steps; step++) {
    const first = (step - 1) * width;
    addInto(sums, values.subarray(first, first + width));
    if (step % levelSteps === 0) carry(levels, step, levelBits);
  }
  for (const level of levels.slice(1)) addInto(sums, level);
  const lanes = sums.subarray(0, LANES);
  for (let vector = steps * STREAMS; vector < vectors; vector++) {
    addInto(lanes, values.subarray(vector * LANES, (vector + 1) * LANES));
  }
  for (let stream = 1; stream < STREAMS; stream++) {
    addInto(lanes, sums.subarray(stream * LANES, (stream + 1) * LANES));
  }
  let sum = 0;
  for (const value of values.subarray(vectors * LANES)) sum = Math.fround(sum + value);
  for (const value of lanes) sum = Math.fround(sum + value);
  return sum;
}

/** Moves full levels up: level j takes over from j − 1 every 2^(bits · j) steps. */
function carry(levels: readonly Float32Array[], step: number, bits: number): void {
  for (let j = 1; j < levels.length; j++) {
    const [upper, lower] = [levels[j], levels[j - 1]];
    if (upper === undefined || lower === undefined) return;
    addInto(upper, lower);
    lower.fill(0);
    if (Math.floor(step / 2 ** (bits * j)) % 2 ** bits !== 0) return;
  }
}

function addInto(sums: Float32Array, values: Float32Array): void {
  for (let i = 0; i < values.length; i++) sums[i] = (sums[i] ?? 0) + (values[i] ?? 0);
}
