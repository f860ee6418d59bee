// The GPU that Dawn prefers on this machine, and what is known of it before anything runs there.

import { BackendError } from '@airllm/backend';
import { loadDawn, type GraphicsApi } from './dawn.js';

export interface WebGpuAdapter {
  /** As its driver calls it. */
  readonly name: string;
  readonly vendor: string;
  /** True for a rasterizer that runs on the CPU (SwiftShader, llvmpipe): right, and slow. */
  readonly isSoftware: boolean;
  /** Largest buffer, and so largest arena and largest half of a layer's KV cache. */
  readonly maxBufferBytes: number;
}

/** Dawn's instances, kept: adapters and devices are of no use without theirs. */
const instances = new Map<GraphicsApi | undefined, Promise<GPU>>();

/**
 * @throws BackendError `BACKEND_UNAVAILABLE` without Dawn, or without an adapter
 */
export async function openAdapter(api?: GraphicsApi): Promise<GPUAdapter> {
  let instance = instances.get(api);
  if (!instance) instances.set(api, (instance = loadDawn(api)));
  const gpu = await instance;
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter) return adapter;
  throw new BackendError(
    'BACKEND_UNAVAILABLE',
    `Expected a GPU that Dawn can use through ${api ?? 'Vulkan, Metal or Direct3D 12'} but found none. ` +
      'Install its driver (on Linux a Vulkan one, and libvulkan1), or use the CPU backend.',
  );
}

export function describeAdapter({ info, limits }: GPUAdapter): WebGpuAdapter {
  const name = info.description || info.device || info.architecture || 'unnamed GPU';
  return {
    name,
    vendor: info.vendor,
    isSoftware: info.isFallbackAdapter || /swiftshader|llvmpipe|software/i.test(name),
    maxBufferBytes: Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize),
  };
}
