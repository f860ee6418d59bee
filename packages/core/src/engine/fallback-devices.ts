// The devices that a model falls back to, in order: GPUs that work, then the CPU.

import { findGpus } from '../devices/choose-device.js';
import type { DeviceName } from './fallback-steps.js';

export async function* fallbackDevices(): AsyncGenerator<DeviceName> {
  for await (const { device, passedOver } of findGpus()) if (passedOver === undefined) yield device;
  yield 'cpu';
  // Where the native backend cannot be loaded.
  yield 'reference';
}
