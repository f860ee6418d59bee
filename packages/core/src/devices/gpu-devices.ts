// The kinds of GPU that there is a backend for, in the order `device: 'auto'` prefers them. A new one is an entry here.
// Packages are imported when they are needed: they load drivers.

import type { Backend, Precision } from '@airllm/backend';

export type GpuDeviceName = 'cuda' | 'metal' | 'webgpu';

/** What a backend's package says of this machine. */
export type GpuProbe =
  | { readonly available: true; readonly name: string; readonly isSoftware: boolean }
  | { readonly available: false; readonly reason: string };

export interface GpuDeviceOptions {
  /** What the backend may hold on the device. Default: its own. */
  readonly memoryBytes?: number | undefined;
  /** Default `exact`. Ignored by a backend that knows no other. */
  readonly precision?: Precision | undefined;
}

export interface GpuDevice {
  readonly device: GpuDeviceName;
  /** Where there are drivers for it. */
  readonly platforms: readonly NodeJS.Platform[];
  /** Never rejects for what a machine lacks. A broken driver may end the process. */
  readonly probe: () => Promise<GpuProbe>;
  /** @throws BackendError `BACKEND_UNAVAILABLE`, `OUT_OF_DEVICE_MEMORY` */
  readonly open: (options: GpuDeviceOptions) => Promise<Backend>;
}

export const GPU_DEVICES: readonly GpuDevice[] = [
  { device: 'cuda', platforms: ['linux'], probe: probeCudaDevice, open: openCudaDevice },
  {
    device: 'metal',
    platforms: ['darwin'],
    probe: probeMetalDevice,
    open: openMetalDevice,
  },
  {
    device: 'webgpu',
    platforms: ['linux', 'darwin', 'win32'],
    probe: probeWebGpuDevice,
    open: openWebGpuDevice,
  },
];

/** The entry of a device that has one. */
export function gpuDevice(name: GpuDeviceName): GpuDevice {
  const found = GPU_DEVICES.find(({ device }) => device === name);
  if (!found) throw new TypeError(`Expected a GPU device but received ${name}`);
  return found;
}

async function probeCudaDevice(): Promise<GpuProbe> {
  const { probeCuda } = await import('@airllm/cuda-backend');
  const { devices, reason } = await probeCuda();
  const [first] = devices;
  if (!first)
    return { available: false, reason: reason ?? 'Expected an NVIDIA GPU but the driver sees none' };
  return { available: true, name: first.name, isSoftware: false };
}

async function openCudaDevice({ memoryBytes, precision }: GpuDeviceOptions): Promise<Backend> {
  const { createCudaBackend } = await import('@airllm/cuda-backend');
  return createCudaBackend({
    ...(memoryBytes !== undefined && { memoryBytes }),
    ...(precision !== undefined && { precision }),
  });
}

async function probeMetalDevice(): Promise<GpuProbe> {
  const { probeMetal } = await import('@airllm/metal-backend');
  const probe = await probeMetal();
  if (!probe.available) return probe;
  const { name, isSoftware } = probe.adapter;
  return { available: true, name, isSoftware };
}

async function openMetalDevice({ memoryBytes }: GpuDeviceOptions): Promise<Backend> {
  const { createMetalBackend } = await import('@airllm/metal-backend');
  return createMetalBackend({ memoryBytes });
}

async function probeWebGpuDevice(): Promise<GpuProbe> {
  const { probeWebGpu } = await import('@airllm/webgpu-backend');
  const probe = await probeWebGpu();
  if (!probe.available) return probe;
  const { name, isSoftware } = probe.adapter;
  return { available: true, name, isSoftware };
}

async function openWebGpuDevice({ memoryBytes }: GpuDeviceOptions): Promise<Backend> {
  const { createWebGpuBackend } = await import('@airllm/webgpu-backend');
  return createWebGpuBackend(memoryBytes === undefined ? {} : { memoryBytes });
}
