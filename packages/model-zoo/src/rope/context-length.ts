// How long a sequence a rotary embedding was made for, once its scaling is counted.

import { LIMITS } from '../config/limits.js';
import type { RopeConfig } from './rope-config.js';

/**
 * Tokens. Linear and yarn configs may state the length before scaling, so the larger reading is taken; dynamic
 * scaling follows any length; llama3 and longrope configs state the length after it.
 */
export function contextLength({ maxPositions, scaling }: RopeConfig): number {
  switch (scaling.type) {
    case 'default':
    case 'llama3':
    case 'longrope':
    case 'prompt-ntk':
      return maxPositions;
    case 'linear':
      return atMost(Math.max(maxPositions, Math.floor(maxPositions * scaling.factor)));
    case 'yarn':
      return atMost(Math.max(maxPositions, Math.floor(scaling.originalMaxPositions * scaling.factor)));
    case 'dynamic':
      return LIMITS.positions.max;
  }
}

function atMost(positions: number): number {
  return Math.min(positions, LIMITS.positions.max);
}
