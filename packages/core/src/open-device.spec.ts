import { BackendError, type Backend } from '@airllm/backend';
import { openDevice } from './open-device.js';

const MIB = 2 ** 20;

/** A device with so much free, of which a backend takes an eighth for itself; every opening and closing is noted. */
function device(freeBytes: number | undefined, { sharesHostMemory = false } = {}) {
  const opened: (number | undefined)[] = [];
  const open = new Set<Backend>();
  const notices: string[] = [];
  const select = (deviceBytes: number | undefined): Promise<Backend> => {
    opened.push(deviceBytes);
    if (freeBytes !== undefined && (deviceBytes ?? 0) > freeBytes)
      return Promise.reject(new BackendError('OUT_OF_DEVICE_MEMORY', 'too much'));
    const limitBytes = deviceBytes ?? freeBytes ?? 0;
    const memory = { limitBytes, usedBytes: limitBytes / 8, stagingBytes: limitBytes / 16, sharesHostMemory };
    const backend = {
      name: 'fake',
      ...(freeBytes !== undefined && { deviceMemory: memory }),
      [Symbol.asyncDispose]: () => {
        open.delete(backend);
        return Promise.resolve();
      },
    } as unknown as Backend;
    open.add(backend);
    return Promise.resolve(backend);
  };
  return { opened, open, notices, select, onNotice: (line: string) => void notices.push(line) };
}

const GIB = 1024 * MIB;

it.each([
  ['bytes', { bytes: 512 * MIB }, [512 * MIB], 512 * MIB],
  ['a share of what the device has', { share: 0.25 }, [undefined, 256 * MIB], 256 * MIB],
  ['all that it has by default', undefined, [undefined], GIB],
  ['all that it has when asked for auto', {}, [undefined], GIB],
])('opens the device with %s', async (_, request, opened, limitBytes) => {
  const fake = device(GIB);
  const { backend, budget } = await openDevice({ hostBytes: 8 * GIB, request, ...fake });
  expect(fake.opened).toEqual(opened);
  expect(budget).toEqual({
    ...{ limitBytes, ownBytes: limitBytes / 8, stagingBytes: limitBytes / 16, sharedBytes: 0 },
  });
  expect([...fake.open]).toEqual([backend]);
  expect(fake.notices).toEqual([]);
});

it('limits what is more than the device has, and says so', async () => {
  const fake = device(GIB);
  const { budget } = await openDevice({ hostBytes: 8 * GIB, request: { bytes: 2 * GIB }, ...fake });
  expect(budget?.limitBytes).toBe(GIB);
  // 2147483648 and 1073741824 bytes.
  expect(fake.notices).toEqual([expect.stringMatching(/memory\.device is 2147MB .* has 1073MB/)]);
});

it('promises less than a backend needs for itself only to the plan, which refuses it', async () => {
  const fake = device(GIB);
  const { budget } = await openDevice({ hostBytes: 8 * GIB, request: { bytes: MIB }, ...fake });
  expect(fake.opened).toEqual([64 * MIB]);
  expect(budget).toMatchObject({ limitBytes: MIB, ownBytes: 8 * MIB });
});

it('has no budget for a device that computes in the host memory, and refuses to give it one', async () => {
  const fake = device(undefined);
  expect((await openDevice({ hostBytes: 8 * GIB, request: undefined, ...fake })).budget).toBeUndefined();
  fake.open.clear();
  await expect(openDevice({ hostBytes: 8 * GIB, request: { bytes: GIB }, ...fake })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    fields: { option: 'memory.device', found: 'fake' },
  });
  expect(fake.open.size).toBe(0);
});

describe('a device that shares the host’s memory', () => {
  it.each([
    ['three quarters of memory.host by default', undefined, [undefined, 768 * MIB], 768 * MIB],
    ['a share of these', { share: 0.5 }, [undefined, 384 * MIB], 384 * MIB],
    ['what is asked for, where it is less', { bytes: 512 * MIB }, [512 * MIB], 512 * MIB],
  ])('takes %s', async (_, request, opened, limitBytes) => {
    const fake = device(2 * GIB, { sharesHostMemory: true });
    const { budget } = await openDevice({ ...fake, hostBytes: GIB, request });
    expect(fake.opened).toEqual(opened);
    expect(budget).toMatchObject({ limitBytes, sharedBytes: limitBytes });
    expect(fake.open.size).toBe(1);
    expect(fake.notices).toEqual([]);
  });

  it('takes no more, and says so', async () => {
    const fake = device(2 * GIB, { sharesHostMemory: true });
    const { budget } = await openDevice({ ...fake, hostBytes: GIB, request: { bytes: GIB } });
    expect(budget).toMatchObject({ limitBytes: 768 * MIB, sharedBytes: 768 * MIB });
    // 1073741824 and 805306368 bytes.
    expect(fake.notices).toEqual([expect.stringMatching(/memory\.device is 1073MB .* has 805MB/)]);
  });

  it('has all that it has, where memory.host is large', async () => {
    const fake = device(GIB, { sharesHostMemory: true });
    const { budget } = await openDevice({ ...fake, hostBytes: 8 * GIB, request: undefined });
    expect(fake.opened).toEqual([undefined]);
    expect(budget).toMatchObject({ limitBytes: GIB, sharedBytes: GIB });
  });
});
