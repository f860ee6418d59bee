// What an op needs to become dispatches.

import type { BatchLayout, Command, WeightSlice } from '@airllm/backend';
import type { WebGpuKvCache } from '../memory/kv-cache.js';
import type { Dispatch } from './dispatch.js';

export type CommandOf<O extends Command<WeightSlice>['op']> = Extract<Command<WeightSlice>, { op: O }>;

export interface OpContext {
  readonly arena: GPUBuffer;
  readonly kvCache: WebGpuKvCache | undefined;
  readonly batch: BatchLayout | undefined;
  /** The most bytes of weights that one dispatch may name. */
  readonly maxWeightBytes: number;
  /** Memory for the op's own use, at least `byteLength` bytes; the next op may overwrite it. */
  scratch(byteLength: number): GPUBuffer;
  /** The most that `scratch` gives. */
  readonly scratchBytes: number;
  emit(dispatch: Dispatch): void;
}
