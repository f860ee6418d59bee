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
  /** Of `memoryBytes`, for weights on their way from the host. Default an eighth, at most 256 MiB; at least 1 MiB. */
  readonly stagingBytes?: number;
  /** Of `memoryBytes`, for what ops keep between kernels. Default a sixteenth, at most 64 MiB; at least 64 KiB. */
  readonly workspaceBytes?: number;
}

const MIB = 2 ** 20;
const DEFAULT_MEMORY = 4096 * MIB;
const MOST_STAGING = 256 * MIB;
const LEAST_STAGING = MIB;
const MOST_WORKSPACE = 64 * MIB;
const LEAST_WORKSPACE = MIB / 16;

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
  const share = (part: number, least: number, most: number): number =>
    Math.min(most, Math.max(least, Math.floor(memoryBytes * part)));
  const { stagingBytes = share(1 / 8, LEAST_STAGING, MOST_STAGING) } = options;
  const { workspaceBytes = share(1 / 16, LEAST_WORKSPACE, MOST_WORKSPACE) } = options;
  if (!Number.isSafeInteger(stagingBytes) || stagingBytes < LEAST_STAGING) {
    throw wrongSize(`at least ${LEAST_STAGING} bytes for stagingBytes`, stagingBytes);
  }
  if (!Number.isSafeInteger(workspaceBytes) || workspaceBytes < LEAST_WORKSPACE) {
    throw wrongSize(`at least ${LEAST_WORKSPACE} bytes for workspaceBytes`, workspaceBytes);
  }
  const setAside = stagingBytes + workspaceBytes;
  if (!Number.isSafeInteger(memoryBytes) || memoryBytes < setAside) {
    throw wrongSize(`at least ${setAside}, stagingBytes and workspaceBytes, for memoryBytes`, memoryBytes);
  }
  const adapter = await openAdapter(options.api);
  const { name, isSoftware } = describeAdapter(adapter);
  const opened = takeIdleDevice(options.api) ?? new GpuDevice(await openDevice(adapter));
  const memory = new MemoryAccount(memoryBytes, { stagingBytes, workspaceBytes });
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
