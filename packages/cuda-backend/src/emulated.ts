// The backend on a device that is emulated: the same launches, ring and kernels, in the host's memory and on its threads, at a small
// part of a CPU's speed. For tests of this package and of what stands on it.

import type { Backend, Precision } from '@airllm/backend';
import { isFast } from './create-cuda-backend.js';
import { CudaBackend } from './cuda-backend.js';
import { openEngine } from './open-engine.js';

export interface EmulatedBackendOptions {
  /** Memory of the device. Default 256 MB. */
  deviceBytes?: number;
  /** As of `createCudaBackend`. */
  memoryBytes?: number;
  stagingBytes?: number;
  workspaceBytes?: number;
  precision?: Precision;
}

/** @throws BackendError as `createCudaBackend` */
export async function createEmulatedBackend(options: EmulatedBackendOptions = {}): Promise<Backend> {
  const { deviceBytes = 256 * 2 ** 20, precision = 'exact', ...sizes } = options;
  const fast = isFast(precision);
  return new CudaBackend(openEngine('cuda_emulated', { ...sizes, emulatedBytes: deviceBytes, fast }), {
    fast,
  });
}
