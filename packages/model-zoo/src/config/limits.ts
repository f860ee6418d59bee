// Bounds of config values. Each is several times what any published model has, and small enough that sizes
// computed from two of them stay exact integers.

import type { Range } from './config-reader.js';

export const LIMITS = {
  hiddenSize: { min: 1, max: 2 ** 20 },
  layers: { min: 1, max: 1024 },
  heads: { min: 1, max: 4096 },
  headDim: { min: 1, max: 8192 },
  intermediateSize: { min: 1, max: 2 ** 22 },
  vocabSize: { min: 1, max: 2 ** 24 },
  positions: { min: 1, max: 2 ** 30 },
  normEps: { min: 0, max: 1 },
  /** yarn takes the logarithm of theta as a divisor, so 1 is excluded. */
  ropeTheta: { min: 1.001, max: 1e15 },
  ropeFactor: { min: 1e-3, max: 1e6 },
  partialRotaryFactor: { min: 0, max: 1 },
  /** Factors and caps that a model applies as they are; 0 and below would undo it. */
  multiplier: { min: 1e-6, max: 1e6 },
  softcap: { min: 1e-3, max: 1e6 },
  queryPreAttnScalar: { min: 1e-3, max: 1e6 },
} as const satisfies Record<string, Range>;

/** Definitions hold a few objects per expert: this bounds them. Published models stay under 100 000. */
const MAX_EXPERTS_IN_ALL_LAYERS = 2 ** 17;

/** Experts that a layer of a model with so many layers may have. */
export function expertRange(layers: number): Range {
  return { min: 1, max: Math.floor(MAX_EXPERTS_IN_ALL_LAYERS / layers) };
}
