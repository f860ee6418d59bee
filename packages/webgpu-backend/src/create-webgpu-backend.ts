// Opens a WebGPU backend: finds the GPU, asks it for the largest buffers it has, and divides its memory.

import { BackendError, type Backend } from '@airllm/backend';
import type { GraphicsApi } from './gpu/dawn.js';
import { GpuDevice } from './gpu/gpu-device.js';
import { Gpu } from './gpu/gpu.js';
import { leaveDevice, takeIdleDevice } from './gpu/idle-devices.js';
import { MemoryAccount } from './gpu/memory-account.js';
import { describeAdapter, openAdapter } from './gpu/open-adapter.js';
import { WebGpuBackend } from './webgpu-backend.js';

export interface WebGpuBackendOptions {
  /** Default: the graphics API that Dawn prefers on this system. */
  readonly api?: GraphicsApi;
  /** What the backend may hold on the GPU. Default 4 GiB: WebGPU does not tell how much a GPU has. */
  readonly memoryBytes?: number;
  /** Of `memoryBytes`, for weights on their way from the host. Default 256 MiB, at most half; at least 1 MiB. */
  readonly stagingBytes?: number;
}

const MIB = 2 ** 20;
const DEFAULT_MEMORY = 4096 * MIB;
const DEFAULT_STAGING = 256 * MIB;
const LEAST_STAGING = MIB;

/**
 * A backend over WGSL kernels, on whatever GPU Dawn has an API for.
 *
 * @throws BackendError `BACKEND_UNAVAILABLE` where Dawn does not load or finds no GPU, `INVALID_OPERAND` for sizes that are none
 * @example
 * await using backend = await createWebGpuBackend({ memoryBytes: 8 * 2 ** 30 });
 * await backend.submit({ commands, arena });
 */
export async function createWebGpuBackend(options: WebGpuBackendOptions = {}): Promise<Backend> {
  const { memoryBytes = DEFAULT_MEMORY } = options;
  const { stagingBytes = Math.min(DEFAULT_STAGING, Math.floor(memoryBytes / 2)) } = options;
  if (!Number.isSafeInteger(stagingBytes) || stagingBytes < LEAST_STAGING) {
    throw wrongSize(`at least ${LEAST_STAGING} bytes for stagingBytes`, stagingBytes);
  }
  if (!Number.isSafeInteger(memoryBytes) || memoryBytes < stagingBytes) {
    throw wrongSize(`at least stagingBytes, ${stagingBytes}, for memoryBytes`, memoryBytes);
  }
  const adapter = await openAdapter(options.api);
  const { name, isSoftware } = describeAdapter(adapter);
  const opened = takeIdleDevice(options.api) ?? new GpuDevice(await openDevice(adapter));
  const memory = new MemoryAccount(memoryBytes, stagingBytes);
  const gpu = new Gpu(opened, { memory, leave: () => leaveDevice(options.api, opened) });
  return new WebGpuBackend(gpu, `WebGPU, ${name}${isSoftware ? ' (software, on the CPU)' : ''}`);
}

async function openDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  try {
    return await adapter.requestDevice({ requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BackendError(
      'BACKEND_UNAVAILABLE',
      `The GPU could not be opened: ${reason}. Use the CPU backend.`,
      {
        cause,
      },
    );
  }
}

function wrongSize(expected: string, found: number): BackendError {
  return new BackendError('INVALID_OPERAND', `Expected ${expected} but received ${found}`);
}
