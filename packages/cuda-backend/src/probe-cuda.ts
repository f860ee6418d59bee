// What this machine has for CUDA, asked without opening a backend.

import { callNative } from '@airllm/native-submission';
import type { NativeProbe } from './binding.js';
import { driverLibrary } from './driver-library.js';
import { openBinding } from './open-engine.js';

export interface CudaProbe {
  /** True when the addon loads and the driver has a device. */
  readonly available: boolean;
  /** Why not. */
  readonly reason?: string;
  /** CUDA version that the driver is for, such as `13.0`. */
  readonly driverVersion?: string;
  readonly devices: NativeProbe['devices'];
}

export interface CudaProbeOptions {
  /** Path of the driver's library. Default: `AIRLLM_CUDA_LIBRARY`, else libcuda.so.1. */
  library?: string;
}

/**
 * Never rejects for what is missing. It loads the driver into this process: a broken one may end it, so whoever cannot afford that
 * asks in a child process.
 *
 * @example
 * const { available, reason, devices } = await probeCuda();
 */
export async function probeCuda({ library = driverLibrary() }: CudaProbeOptions = {}): Promise<CudaProbe> {
  try {
    const { driverVersion, devices } = callNative(() => openBinding('cuda').probe(library));
    if (devices.length > 0) return { available: true, driverVersion, devices };
    return {
      available: false,
      reason: 'Expected an NVIDIA GPU but the driver sees none',
      driverVersion,
      devices,
    };
  } catch (error) {
    return { available: false, reason: error instanceof Error ? error.message : String(error), devices: [] };
  }
}
