// Which devices are kept for the next backend: one for each API, while it works, for a while.

import { jest } from '@jest/globals';
import type { GpuDevice } from './gpu-device.js';
import { leaveDevice, takeIdleDevice } from './idle-devices.js';

const KEPT_FOR = 30_000;

/** What the pool looks at of a device. */
function createDevice(): { opened: GpuDevice; state: { isAlive: boolean; destroyed: number } } {
  const state = { isAlive: true, destroyed: 0 };
  const opened = {
    get isAlive() {
      return state.isAlive;
    },
    device: { destroy: () => void state.destroyed++ },
  };
  return { opened: opened as unknown as GpuDevice, state };
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => {
  jest.runAllTimers();
  jest.useRealTimers();
});

it('gives one back once, to the same API', () => {
  const { opened, state } = createDevice();
  leaveDevice('vulkan', opened);
  expect(takeIdleDevice('metal')).toBeUndefined();
  expect(takeIdleDevice('vulkan')).toBe(opened);
  expect(takeIdleDevice('vulkan')).toBeUndefined();
  jest.advanceTimersByTime(2 * KEPT_FOR);
  expect(state.destroyed).toBe(0);
});

it('keeps one and destroys the others', () => {
  const [first, second] = [createDevice(), createDevice()];
  leaveDevice(undefined, first.opened);
  leaveDevice(undefined, second.opened);
  expect([first.state.destroyed, second.state.destroyed]).toEqual([0, 1]);
  expect(takeIdleDevice(undefined)).toBe(first.opened);
});

it('destroys one that nobody took', () => {
  const { opened, state } = createDevice();
  leaveDevice(undefined, opened);
  jest.advanceTimersByTime(KEPT_FOR - 1);
  expect(state.destroyed).toBe(0);
  jest.advanceTimersByTime(1);
  expect(state.destroyed).toBe(1);
  expect(takeIdleDevice(undefined)).toBeUndefined();
});

it('neither keeps nor gives one that is lost', () => {
  const [lost, later] = [createDevice(), createDevice()];
  lost.state.isAlive = false;
  leaveDevice(undefined, lost.opened);
  expect(lost.state.destroyed).toBe(1);
  leaveDevice(undefined, later.opened);
  later.state.isAlive = false;
  expect(takeIdleDevice(undefined)).toBeUndefined();
});
