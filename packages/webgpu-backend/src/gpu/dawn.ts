/// <reference types="@webgpu/types" />
// Loads Dawn, Chromium's WebGPU, which the npm package `webgpu` brings as one binary per platform. Loaded when a backend is
// asked for and not before: a machine without the binary can import this package.

import { BackendError } from '@airllm/backend';

/** Values of GPUBufferUsage and GPUMapMode (WebGPU, section 5), which Node.js has no globals for. */
export const USAGE = { mapRead: 1, copySrc: 4, copyDst: 8, storage: 128 } as const;
export const MAP_READ = 1;

/** Dawn's adapters of one graphics API. Default: the one that Dawn prefers on this system. */
export type GraphicsApi = 'vulkan' | 'metal' | 'd3d12';

/**
 * @throws BackendError `BACKEND_UNAVAILABLE` when the binary is not there or does not load
 */
export async function loadDawn(api?: GraphicsApi): Promise<GPU> {
  try {
    const { create } = await import('webgpu');
    return create(api === undefined ? [] : [`backend=${api}`]);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new BackendError(
      'BACKEND_UNAVAILABLE',
      `Expected Dawn for ${process.platform}-${process.arch} from the npm package webgpu but it did not load: ${reason}. ` +
        'Reinstall it (npm install webgpu), or use the CPU backend.',
      { cause },
    );
  }
}
