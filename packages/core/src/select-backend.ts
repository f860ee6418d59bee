// Opens the device that computes. Nothing is chosen silently: a fallback is announced.

import { BackendError, type Backend, type Precision } from '@airllm/backend';
import { createReferenceBackend } from '@airllm/backend/reference';
import { createCpuBackend, fastMemoryBytes } from '@airllm/cpu-backend';
import { askDevice, findGpus } from './devices/choose-device.js';
import { gpuDevice, type GpuDeviceName } from './devices/gpu-devices.js';

export interface DeviceChoice {
  readonly device: 'auto' | 'cpu' | 'reference' | GpuDeviceName;
  /** Default: one per core. */
  readonly threads?: number | undefined;
  readonly precision: Precision;
  /** What a device with memory of its own may hold there. Default: the backend's. */
  readonly deviceBytes?: number | undefined;
  /** Gets a line for each device that should work and does not, and for those that are slow. */
  readonly onNotice: (line: string) => void;
}

/**
 * `auto` takes the first GPU that works, then the native CPU backend, then the TypeScript reference backend. GPUs are tried
 * by another process first: a broken driver is a reason, not the end of the program.
 *
 * @throws BackendError `BACKEND_UNAVAILABLE` when a device is asked for by name and does not work, `OUT_OF_DEVICE_MEMORY`
 * when a GPU has less than `deviceBytes`
 */
export async function selectBackend(choice: DeviceChoice): Promise<Backend> {
  switch (choice.device) {
    case 'reference':
      return createReferenceBackend();
    case 'cpu':
      return openCpu(choice);
    case 'auto':
      return (await openAnyGpu(choice)) ?? openCpuOrReference(choice);
    default:
      return openGpu(choice.device, choice);
  }
}

/** Bytes the backend may hold beside what it is asked for, which a budget has to cover. */
export function workingBytes({ device, threads, precision }: Omit<DeviceChoice, 'onNotice'>): number {
  return precision === 'fast' && (device === 'auto' || device === 'cpu') ? fastMemoryBytes(threads) : 0;
}

function openCpu({ precision, threads }: DeviceChoice): Promise<Backend> {
  return createCpuBackend({ precision, ...(threads !== undefined && { threads }) });
}

async function openCpuOrReference(choice: DeviceChoice): Promise<Backend> {
  try {
    return await openCpu(choice);
  } catch (error) {
    choice.onNotice(`airllm: running on the slow TypeScript backend. ${oneLine(error)}`);
    return createReferenceBackend();
  }
}

async function openGpu(
  device: GpuDeviceName,
  { deviceBytes: memoryBytes, precision, onNotice }: DeviceChoice,
): Promise<Backend> {
  const answer = await askDevice(device);
  if (!answer.works) {
    throw new BackendError(
      'BACKEND_UNAVAILABLE',
      `Expected device '${device}' to work but: ${answer.reason}. See \`airllm doctor\`, or use device: 'cpu'.`,
      { fields: { device, reason: answer.reason } },
    );
  }
  if (answer.isSoftware)
    onNotice(`airllm: ${answer.name} is a software GPU: right, but slower than device: 'cpu'`);
  return gpuDevice(device).open({ memoryBytes, precision });
}

async function openAnyGpu({
  deviceBytes: memoryBytes,
  precision,
  onNotice,
}: DeviceChoice): Promise<Backend | undefined> {
  for await (const { device, answer, passedOver } of findGpus()) {
    if ('isBroken' in answer) onNotice(`airllm: device '${device}' is not used: ${answer.reason}`);
    if (passedOver !== undefined) continue;
    try {
      return await gpuDevice(device).open({ memoryBytes, precision });
    } catch (error) {
      // It works, and was asked for too much: whoever asked can ask for less.
      if (BackendError.isInstance(error) && error.code === 'OUT_OF_DEVICE_MEMORY') throw error;
      onNotice(`airllm: device '${device}' is not used: ${oneLine(error)}`);
    }
  }
  return undefined;
}

function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n').join(' ');
}
