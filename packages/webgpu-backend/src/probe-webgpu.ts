// Whether a WebGPU backend could be opened here, and on what, without opening one.

import { BackendError } from '@airllm/backend';
import type { GraphicsApi } from './gpu/dawn.js';
import { describeAdapter, openAdapter, type WebGpuAdapter } from './gpu/open-adapter.js';

export type WebGpuProbe =
  | { readonly available: true; readonly adapter: WebGpuAdapter }
  | { readonly available: false; readonly reason: string };

/**
 * Never throws for what a machine lacks.
 *
 * @example
 * const probe = await probeWebGpu();
 * console.log(probe.available ? probe.adapter.name : probe.reason);
 */
export async function probeWebGpu(api?: GraphicsApi): Promise<WebGpuProbe> {
  try {
    return { available: true, adapter: describeAdapter(await openAdapter(api)) };
  } catch (error) {
    if (!BackendError.isInstance(error)) throw error;
    return { available: false, reason: error.message };
  }
}
