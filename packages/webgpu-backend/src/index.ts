export { createWebGpuBackend, type WebGpuBackendOptions } from './create-webgpu-backend.js';
export type { GraphicsApi } from './gpu/dawn.js';
export type { WebGpuAdapter } from './gpu/open-adapter.js';
export { probeWebGpu, type WebGpuProbe } from './probe-webgpu.js';
