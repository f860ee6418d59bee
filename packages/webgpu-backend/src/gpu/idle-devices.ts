// Devices that closed backends leave, kept for a while with their compiled kernels: a program that closes one model and opens
// the next does not compile again. Backends that are open at the same time never share one.

import type { GraphicsApi } from './dawn.js';
import type { GpuDevice } from './gpu-device.js';

/** Milliseconds. A device nobody uses holds memory of the driver's. */
const KEPT_FOR = 30_000;

interface IdleDevice {
  readonly opened: GpuDevice;
  readonly timer: NodeJS.Timeout;
}

/** At most one for each API. */
const idle = new Map<GraphicsApi | undefined, IdleDevice>();

/** One that was left, if it still works. */
export function takeIdleDevice(api: GraphicsApi | undefined): GpuDevice | undefined {
  const found = idle.get(api);
  if (!found) return undefined;
  clearTimeout(found.timer);
  idle.delete(api);
  return found.opened.isAlive ? found.opened : undefined;
}

/** Takes over a device on which nothing runs and whose buffers are gone. */
export function leaveDevice(api: GraphicsApi | undefined, opened: GpuDevice): void {
  if (idle.has(api) || !opened.isAlive) {
    opened.device.destroy();
    return;
  }
  const timer = setTimeout(() => {
    idle.delete(api);
    opened.device.destroy();
  }, KEPT_FOR);
  // A process need not stay for it.
  timer.unref();
  idle.set(api, { opened, timer });
}
