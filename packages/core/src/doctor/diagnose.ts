// What this machine has for running models, what would be chosen and why: the facts behind `airllm doctor`.

import { createReferenceBackend } from '@airllm/backend/reference';
import { createCpuBackend } from '@airllm/cpu-backend';
import { resolveHubSettings } from '@airllm/checkpoint';
import { askDevice, devicesHere, judge } from '../devices/choose-device.js';
import { GPU_DEVICES } from '../devices/gpu-devices.js';
import { describeDrivers, describeMemory, describeSystem } from './describe-machine.js';
import type { DeviceFacts, Diagnosis } from './diagnosis.js';
import { giveAdvice } from './give-advice.js';
import { measureCacheDisk } from './measure-cache-disk.js';

/**
 * Tries every device, each GPU in a process of its own, and reads from the disk for half a second. It never rejects for what
 * a machine lacks.
 *
 * @example
 * const { chosen, advice } = await diagnose();
 */
export async function diagnose(): Promise<Diagnosis> {
  const { cacheDir } = await resolveHubSettings({});
  const devices = await tryDevices();
  const backend = createReferenceBackend();
  const cpu = await createCpuBackend().catch(() => undefined);
  try {
    const allocate = (byteLength: number) => (cpu ?? backend).allocateWeights(byteLength);
    const found = {
      system: await describeSystem(),
      memory: describeMemory(),
      drivers: await describeDrivers(),
      devices,
      chosen: devices.find(({ chosen }) => chosen)?.device ?? 'reference',
      disk: await measureCacheDisk(cacheDir, allocate),
    };
    return { ...found, advice: giveAdvice(found) };
  } finally {
    await cpu?.[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
  }
}

/** In the order of preference. */
async function tryDevices(): Promise<DeviceFacts[]> {
  const facts: DeviceFacts[] = [];
  const add = (device: DeviceFacts['device'], found: FoundDevice): void => {
    const { name, passedOver, isSoftware = false } = found;
    const earlier = facts.find(({ chosen }) => chosen);
    const chosen = passedOver === undefined && earlier === undefined;
    const reason = passedOver ?? (earlier ? `${earlier.device} goes first` : 'the first that works');
    facts.push({ device, works: name !== undefined, name, isSoftware, chosen, reason });
  };
  for (const { device } of GPU_DEVICES) {
    if (!devicesHere().includes(device)) {
      add(device, { name: undefined, passedOver: `not on ${process.platform}` });
      continue;
    }
    const { answer, passedOver } = judge(device, await askDevice(device));
    if (answer.works) add(device, { name: answer.name, isSoftware: answer.isSoftware, passedOver });
    else add(device, { name: undefined, passedOver });
  }
  add('cpu', await tryCpu());
  add('reference', { name: 'TypeScript', passedOver: undefined });
  return facts;
}

interface FoundDevice {
  /** Undefined where it does not work. */
  readonly name: string | undefined;
  readonly isSoftware?: boolean;
  readonly passedOver: string | undefined;
}

async function tryCpu(): Promise<FoundDevice> {
  try {
    await using backend = await createCpuBackend();
    return { name: backend.description, passedOver: undefined };
  } catch (error) {
    return { name: undefined, passedOver: error instanceof Error ? error.message : String(error) };
  }
}
