// What a model computes with: a device, a store of weights that it reads, and their memory. Where a device can be lost the
// whole is replaced, between passes.

import type { Backend } from '@airllm/backend';
import { AirllmError } from '@airllm/errors';
import type { LayerStore } from '@airllm/layer-store';
import type { DeviceRoom } from './weight-room.js';

export interface Engine {
  readonly backend: Backend;
  readonly store: LayerStore;
  /** Bytes for weights and runs together, as of now; see `WeightRoomOptions`. */
  readonly memoryBytes: (writtenRunBytes: number) => number;
  readonly plannedMemoryBytes: number;
  /** Bytes of host memory the store leaves for runs until one needs more. */
  readonly reservedRunBytes: number;
  /** For a backend with memory of its own: activations and KV caches lie there. */
  readonly device?: DeviceRoom | undefined;
}

/** Why an engine is of no more use. */
export interface EngineLoss {
  readonly error: AirllmError;
  /** What its device held then, where that has memory of its own. */
  readonly heldDeviceBytes: number | undefined;
  /** Aborted when the model is closed: nothing more is to be opened. */
  readonly signal: AbortSignal;
}

/** Closes the engine that is lost and opens another, or rejects with why there is none. */
export type RecoverEngine = (loss: EngineLoss) => Promise<Engine>;

/** The device is gone, or has less memory than was counted on. */
export function isDeviceLoss(error: unknown): error is AirllmError {
  return hasCode(error, 'DEVICE_LOST') || hasCode(error, 'OUT_OF_DEVICE_MEMORY');
}

/** The run does not fit. Of a run that was granted before, the fault of the engine that it goes on with. */
export function isRefusal(error: unknown): error is AirllmError {
  return hasCode(error, 'BUDGET_TOO_SMALL');
}

function hasCode(error: unknown, code: string): error is AirllmError {
  return AirllmError.isInstance(error) && error.code === code;
}
