// Opens the GPU of a Mac: Dawn's Metal adapter, within what the system lets a GPU have of unified memory.

import { BackendError, type Backend } from '@airllm/backend';
import type { WebGpuBackendOptions } from '@airllm/webgpu-backend';
import { MetalBackend } from './metal-backend.js';
import { notAMac, thisHost, type MetalHost } from './metal-host.js';
import { recommendedWorkingSet } from './working-set.js';

export interface MetalBackendOptions extends Pick<WebGpuBackendOptions, 'stagingBytes' | 'workspaceBytes'> {
  /** What the backend may hold on the GPU. Default: the recommended working set, where memory is unified; else 4 GiB. */
  readonly memoryBytes?: number | undefined;
}

/**
 * @throws BackendError `BACKEND_UNAVAILABLE` on other systems and where Dawn finds no Metal adapter, `OUT_OF_DEVICE_MEMORY` for more
 * than the working set, `INVALID_OPERAND` for sizes that are none
 * @example
 * await using backend = await createMetalBackend({ memoryBytes: 8 * 2 ** 30 });
 */
export async function createMetalBackend(
  options: MetalBackendOptions = {},
  host: MetalHost = thisHost,
): Promise<Backend> {
  const reason = notAMac(host);
  if (reason !== undefined) throw new BackendError('BACKEND_UNAVAILABLE', reason);
  const facts = await host.facts();
  const workingSetBytes = facts && recommendedWorkingSet(facts);
  const { memoryBytes = workingSetBytes, ...sizes } = options;
  if (memoryBytes !== undefined && workingSetBytes !== undefined && memoryBytes > workingSetBytes) {
    throw new BackendError(
      'OUT_OF_DEVICE_MEMORY',
      `Expected at most ${workingSetBytes} bytes for memoryBytes, the GPU's working set, but received ${memoryBytes}; ` +
        'lower it, or raise the working set (sudo sysctl iogpu.wired_limit_mb=…)',
      { fields: { byteLength: memoryBytes, freeBytes: workingSetBytes, limitBytes: workingSetBytes } },
    );
  }
  const webgpu = await host.create({
    ...sizes,
    ...(memoryBytes !== undefined && { memoryBytes }),
    api: 'metal',
  });
  return new MetalBackend(webgpu, { sharesHostMemory: workingSetBytes !== undefined });
}
