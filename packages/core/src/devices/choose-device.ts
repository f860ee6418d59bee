// Which device `auto` takes, and why it passes over the others.

import { noGpuReason } from './gpu-hints.js';
import { GPU_DEVICES, type GpuDeviceName } from './gpu-devices.js';
import { tryInChild, type ChildAnswer } from './try-in-child.js';

/** What `auto` makes of one device. */
export interface DeviceFinding {
  readonly device: GpuDeviceName;
  readonly answer: ChildAnswer;
  /** Why `auto` does not take it; undefined when it would. */
  readonly passedOver: string | undefined;
}

const answers = new Map<GpuDeviceName, Promise<ChildAnswer>>();

/** Whether a device works, tried once in this process's life, by another process. */
export function askDevice(device: GpuDeviceName): Promise<ChildAnswer> {
  let answer = answers.get(device);
  if (!answer) answers.set(device, (answer = tryInChild(device)));
  return answer;
}

/** What `auto` makes of an answer. A software GPU runs on the CPU, where the CPU backend is faster. */
export function judge(device: GpuDeviceName, answer: ChildAnswer): DeviceFinding {
  return { device, answer, passedOver: passedOver(device, answer) };
}

function passedOver(device: GpuDeviceName, answer: ChildAnswer): string | undefined {
  if (!answer.works) return answer.reason;
  if (!answer.isSoftware) return undefined;
  return `${answer.name} is a software GPU, which computes on the CPU; device: '${device}' uses it all the same`;
}

/** The devices there are drivers for on this platform, in the order of preference. */
export function devicesHere(platform: NodeJS.Platform = process.platform): GpuDeviceName[] {
  return GPU_DEVICES.filter(({ platforms }) => platforms.includes(platform)).map(({ device }) => device);
}

/** Looks at devices one after the other, as far as the one that `auto` takes; none where there can be no GPU. */
export async function* findGpus(): AsyncGenerator<DeviceFinding> {
  if (noGpuReason() !== undefined) return;
  for (const device of devicesHere()) {
    yield judge(device, await askDevice(device));
  }
}
