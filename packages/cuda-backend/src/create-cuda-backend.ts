// Starts a CUDA backend.

import { BackendError, PRECISIONS, type Backend, type Precision } from '@airllm/backend';
import { CudaBackend } from './cuda-backend.js';
import { driverLibrary } from './driver-library.js';
import { openEngine } from './open-engine.js';

export interface CudaBackendOptions {
  /** Number of the device among those that CUDA_VISIBLE_DEVICES leaves. Default 0. */
  device?: number;
  /**
   * Bytes of device memory that the backend may hold: weights, activations, KV caches and what it needs itself. Default: what is
   * free, but for 256 MB.
   */
  memoryBytes?: number;
  /** Of these, kept for weights on their way from the host. Default: an eighth, at most 1 GB. One command takes at most half. */
  stagingBytes?: number;
  /** Of these, kept for what ops need in between. Default: a sixteenth, at most 256 MB. */
  workspaceBytes?: number;
  /** Default `exact`. With `fast`, `linear` of more than 8 rows rounds its operands to bf16, but for weights in f32. */
  precision?: Precision;
  /** Path of the driver's library. Default: `AIRLLM_CUDA_LIBRARY`, else libcuda.so.1. */
  library?: string;
}

/**
 * A backend over one NVIDIA GPU of compute capability 7.5 or later.
 *
 * @throws BackendError `BACKEND_UNAVAILABLE` when the addon, its kernels, the driver or a device is missing or too old: the message
 * says which; `OUT_OF_DEVICE_MEMORY` when `memoryBytes` is more than is free; `INVALID_OPERAND` for options that are none
 * @example
 * await using backend = await createCudaBackend({ memoryBytes: 20e9 });
 * await backend.submit({ commands, arena });
 */
export async function createCudaBackend(options: CudaBackendOptions = {}): Promise<Backend> {
  const { precision = 'exact', library = driverLibrary(), ...sizes } = options;
  const fast = isFast(precision);
  return new CudaBackend(openEngine('cuda', { ...sizes, library, fast }), { fast });
}

/** @throws BackendError `INVALID_OPERAND` for an unknown precision */
export function isFast(precision: Precision): boolean {
  if (PRECISIONS.includes(precision)) return precision === 'fast';
  const known = PRECISIONS.join(' or ');
  throw new BackendError('INVALID_OPERAND', `Expected ${known} for precision but received ${precision}`);
}
