import { BackendError } from '@airllm/backend';
import { CoreError } from '../errors.js';
import { FallbackSteps, type DeviceName, type FailedChoice } from './fallback-steps.js';

const lost = new BackendError('DEVICE_LOST', 'gone');
const outOfMemory = (byteLength: number): BackendError =>
  new BackendError('OUT_OF_DEVICE_MEMORY', 'no room', { fields: { byteLength } });

async function* devices(...names: DeviceName[]): AsyncGenerator<DeviceName> {
  await Promise.resolve();
  yield* names;
}

const failed = (device: DeviceName, memory: Partial<FailedChoice> = {}): FailedChoice => ({
  ...{ deviceMemory: undefined, limitBytes: undefined, minimumBytes: undefined, heldBytes: undefined },
  ...memory,
  device,
});

describe('the steps after a device was lost', () => {
  it('are the same device once more, each other one, and none', async () => {
    const request = { bytes: 1000 };
    const steps = new FallbackSteps(request, devices('cuda', 'webgpu', 'cpu'));
    const first = failed('webgpu', { deviceMemory: { bytes: 500 } });
    expect(await steps.next(first, lost)).toEqual({ device: 'webgpu', deviceMemory: { bytes: 500 } });
    expect(await steps.next(first, lost)).toEqual({ device: 'cuda', deviceMemory: request });
    expect(await steps.next(failed('cuda'), lost)).toEqual({ device: 'cuda', deviceMemory: undefined });
    // The host's memory has no budget of a device, and webgpu was tried.
    expect(await steps.next(failed('cuda'), lost)).toEqual({ device: 'cpu', deviceMemory: undefined });
    expect(await steps.next(failed('cpu'), lost)).toEqual({ device: 'cpu', deviceMemory: undefined });
    expect(await steps.next(failed('cpu'), lost)).toBeUndefined();
  });

  it('are the next device where one cannot be opened or the run does not fit it', async () => {
    const steps = new FallbackSteps(undefined, devices('cuda', 'webgpu', 'cpu'));
    const unavailable = new BackendError('BACKEND_UNAVAILABLE', 'no driver');
    expect(await steps.next(failed('webgpu'), new CoreError('BUDGET_TOO_SMALL', 'no'))).toMatchObject({
      device: 'cuda',
    });
    expect(await steps.next(failed('cuda'), unavailable)).toMatchObject({ device: 'cpu' });
    expect(await steps.next(failed('cpu'), unavailable)).toBeUndefined();
  });
});

describe('the steps of a device that is out of memory', () => {
  it('are what it held less what was missing, halves, the smallest, and the next device', async () => {
    const steps = new FallbackSteps(undefined, devices('webgpu', 'cpu'));
    const bytes: unknown[] = [];
    let memory: Partial<FailedChoice> = { limitBytes: 1000, minimumBytes: 150, heldBytes: 800 };
    for (;;) {
      const next = await steps.next(failed('webgpu', memory), outOfMemory(50));
      bytes.push(next?.deviceMemory?.bytes ?? next?.device);
      if (next?.device !== 'webgpu') break;
      memory = { limitBytes: next.deviceMemory?.bytes, minimumBytes: 150, heldBytes: 300 };
    }
    // 800 − 50; 750 / 2; ⌊375 / 2⌋; then 93 would be less than the smallest.
    expect(bytes).toEqual([750, 375, 187, 150, 'cpu']);
  });

  it('are at least halves, where it held little when it failed', async () => {
    const steps = new FallbackSteps(undefined, devices('cpu'));
    const memory = { limitBytes: 1000, minimumBytes: 150, heldBytes: 100 };
    expect(await steps.next(failed('webgpu', memory), outOfMemory(10))).toMatchObject({
      deviceMemory: { bytes: 500 },
    });
  });

  it('are the next device where it has no memory of its own', async () => {
    const steps = new FallbackSteps(undefined, devices('cpu'));
    expect(await steps.next(failed('webgpu'), outOfMemory(1))).toMatchObject({ device: 'cpu' });
  });
});
