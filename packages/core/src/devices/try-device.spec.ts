// Whether a device computes is found by computing.

import type { Backend } from '@airllm/backend';
import { createReferenceBackend } from '@airllm/backend/reference';
import type { GpuDevice } from './gpu-devices.js';
import { tryDevice } from './try-device.js';

const device = (part: Partial<GpuDevice>): GpuDevice => ({
  device: 'webgpu',
  platforms: [],
  probe: () => Promise.resolve({ available: true, name: 'Some GPU', isSoftware: false }),
  open: () => Promise.resolve(createReferenceBackend()),
  ...part,
});

/** A backend whose arenas read this. */
function reading(values: readonly number[]): Backend {
  const backend = createReferenceBackend();
  return {
    ...{ name: backend.name, description: backend.description, dtypes: backend.dtypes },
    allocateWeights: (bytes) => backend.allocateWeights(bytes),
    createKvCache: (shape) => backend.createKvCache(shape),
    submit: () => Promise.resolve({ computeSeconds: 0 }),
    createArena: (elements) => ({
      ...{ elements, byteLength: 4 * elements },
      write: () => Promise.resolve(),
      read: () => Promise.resolve(Float32Array.from(values)),
      dispose: () => undefined,
    }),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}

it('works where the product is right', async () => {
  expect(await tryDevice(device({}))).toEqual({ works: true, name: 'Some GPU', isSoftware: false });
});

it('does not work where the product is wrong', async () => {
  // 1·1 + 2·10 + 3·100 + 4·1000 = 4321, −5·1 + 6·10 − 7·100 + 8·1000 = 7355.
  const open = () => Promise.resolve(reading([4321, 7354]));
  expect(await tryDevice(device({ open }))).toEqual({
    works: false,
    reason: 'Some GPU computes wrong: expected 4321, 7355 but received 4321, 7354; update its driver',
  });
});

it('is not opened where it is not there', async () => {
  const probe = () => Promise.resolve({ available: false, reason: 'no driver' } as const);
  const open = () => Promise.reject(new Error('opened'));
  expect(await tryDevice(device({ probe, open }))).toEqual({ works: false, reason: 'no driver' });
});

it('does not work where it does not open', async () => {
  const open = () => Promise.reject(new Error('no room'));
  expect(await tryDevice(device({ open }))).toEqual({ works: false, reason: 'no room' });
});
