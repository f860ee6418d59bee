// Chooses the device that computes. Nothing is chosen silently: a fallback is announced.

import type { Backend, Precision } from '@airllm/backend';
import { createReferenceBackend } from '@airllm/backend/reference';
import { createCpuBackend, fastMemoryBytes } from '@airllm/cpu-backend';

export interface DeviceChoice {
  readonly device: 'auto' | 'cpu' | 'reference' | 'webgpu';
  /** Default: one per core. */
  readonly threads?: number | undefined;
  readonly precision: Precision;
  /** What a device with memory of its own may hold there. Default: the backend's. */
  readonly deviceBytes?: number | undefined;
  /** Gets the one line that says that the native backend is not there. */
  readonly onNotice: (line: string) => void;
}

/**
 * `auto` takes the native CPU backend, or the TypeScript reference backend where it cannot be loaded.
 *
 * @throws BackendError `BACKEND_UNAVAILABLE` when `cpu` or `webgpu` is asked for and cannot be loaded
 */
export async function selectBackend({
  device,
  threads,
  precision,
  deviceBytes,
  onNotice,
}: DeviceChoice): Promise<Backend> {
  if (device === 'reference') return createReferenceBackend();
  if (device === 'webgpu') {
    // Dawn is large, and its binary is loaded for nobody else.
    const { createWebGpuBackend } = await import('@airllm/webgpu-backend');
    return createWebGpuBackend(deviceBytes === undefined ? {} : { memoryBytes: deviceBytes });
  }
  try {
    return await createCpuBackend({ precision, ...(threads !== undefined && { threads }) });
  } catch (error) {
    if (device === 'cpu') throw error;
    const reason = error instanceof Error ? error.message : String(error);
    onNotice(`airllm: running on the slow TypeScript backend. ${reason.split('\n').join(' ')}`);
    return createReferenceBackend();
  }
}

/** Bytes the backend may hold beside what it is asked for, which a budget has to cover. */
export function workingBytes({ device, threads, precision }: Omit<DeviceChoice, 'onNotice'>): number {
  return precision === 'fast' && (device === 'auto' || device === 'cpu') ? fastMemoryBytes(threads) : 0;
}
