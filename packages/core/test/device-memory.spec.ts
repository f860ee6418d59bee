/** @jest-environment @airllm/jest-preset/swiftshader-environment */
// memory.device is a promise: weights live on the device first, then in host memory, then on disk, from one plan; what is
// held of the device never exceeds it; and greedy decoding gives the same tokens whatever it is.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSyntheticCheckpoint } from '@airllm/synthetic-checkpoint';
import { probeWebGpu } from '@airllm/webgpu-backend';
import { AutoModel, type FromPretrainedOptions, type Model } from '../src/index.js';

const MIB = 2 ** 20;
/** Above the smallest host budget: what the process may grow by between the plan and the model. */
const ROOM_BYTES = 10e6;
const probe = await probeWebGpu();
if (!probe.available) console.warn(`device memory skipped: ${probe.reason}`);
const whereAvailable = probe.available ? describe : describe.skip;

let temporary: string;
let folder: string;

beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'airllm-device-memory-'));
  folder = join(temporary, 'model');
  // 6 layers of 12.6 MB, and a head of 4 MB: more than the least that a backend takes.
  await writeSyntheticCheckpoint(folder, {
    hiddenSize: 512,
    layers: 6,
    heads: 8,
    kvHeads: 4,
    intermediateSize: 1600,
    vocabSize: 2048,
    dtype: 'f32',
    seed: 5,
  });
});
afterAll(() => rm(temporary, { recursive: true }));

const prompts = [2, 8, 4].map((length, i) =>
  Array.from({ length }, (_, position) => (position * 131 + i * 977 + 11) % 2048),
);

/** Ids in a batch, and the most that was held of the device in any phase. */
async function run(model: Model): Promise<{ ids: unknown; peakBytes: number }> {
  let peakBytes = model.stats.deviceBytes ?? NaN;
  const look = (): void => {
    peakBytes = Math.max(peakBytes, model.stats.deviceBytes ?? NaN);
  };
  const options = { maxNewTokens: 2, ignoreEos: true, onStage: look };
  const batch = await model.generate({ inputIds: prompts }, options);
  look();
  return { ids: batch.map(({ tokenIds }) => tokenIds), peakBytes };
}

const onDevice = (memory: FromPretrainedOptions['memory'], maxSeqLen = 4096): FromPretrainedOptions => ({
  ...{ device: 'webgpu', memory, maxSeqLen, onNotice: () => undefined },
});

whereAvailable('on a device with memory of its own', () => {
  let expected: unknown;

  it('all weights live there where they fit, and nothing is read or carried for a token', async () => {
    await using model = await AutoModel.fromPretrained(folder, onDevice({ host: '8GB', device: '256MB' }));
    const { plan } = model;
    expect(plan.device).toMatchObject({ limitBytes: 256e6, carriedBytesPerPass: 0 });
    expect(plan).toMatchObject({ pinnedBytes: 0, streamedBytesPerPass: 0 });
    expect(plan.layers.every(({ bytes, devicePinnedBytes }) => bytes === devicePinnedBytes)).toBe(true);
    const { ids, peakBytes } = await run(model);
    expected = ids;
    const alone = await model.generate({ inputIds: prompts[1] ?? [] }, { maxNewTokens: 2, ignoreEos: true });
    expect(alone.tokenIds).toEqual((ids as unknown[])[1]);
    expect(peakBytes).toBeGreaterThan(plan.device?.pinnedBytes ?? NaN);
    expect(peakBytes).toBeLessThanOrEqual(256e6);
    // Every weight once, whatever the passes.
    expect(model.stats.bytesRead).toBeLessThan(1.05 * plan.weightBytes);
  });

  it.each([
    ['host memory', '8GB'],
    ['disk', 'least'],
  ])('what does not fit lives in %s, with the same tokens', async (home, hostBudget) => {
    const device = 64 * MIB;
    const generous = await AutoModel.plan(folder, onDevice({ host: '8GB', device }, 64));
    const host = hostBudget === 'least' ? generous.minimumHostBytes + ROOM_BYTES : hostBudget;
    await using model = await AutoModel.fromPretrained(folder, onDevice({ host, device }, 64));
    const { plan } = model;
    const share = (plan.device?.pinnedBytes ?? NaN) / plan.layers.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(share).toBeGreaterThan(0.3);
    expect(share).toBeLessThan(0.9);
    expect(plan.streamedBytesPerPass > 0).toBe(home === 'disk');
    const { ids, peakBytes } = await run(model);
    expect(ids).toEqual(expected);
    expect(peakBytes).toBeLessThanOrEqual(device);
    expect(model.stats.deviceBytes).toBeLessThanOrEqual(device);
    if (home === 'disk') await expectReadsAsPlanned(model);
  });

  it('a run whose KV cache takes the place of weights stays within the promise', async () => {
    await using model = await AutoModel.fromPretrained(folder, onDevice({ host: '8GB', device: 64 * MIB }));
    let peakBytes = 0;
    const onStage = (): void => {
      peakBytes = Math.max(peakBytes, model.stats.deviceBytes ?? NaN);
    };
    // The KV cache of 3000 tokens is 6 layers · 4 heads · 64 columns · keys and values · 4 bytes · 3000, 37 MB.
    const inputIds = [1, 2];
    const options = { maxNewTokens: 2998, ignoreEos: true, onStage };
    for await (const event of model.stream({ inputIds }, options)) if (event) break;
    expect(peakBytes).toBeGreaterThan(37e6);
    expect(peakBytes).toBeLessThanOrEqual(64 * MIB);
  });

  it('a run that needs more than there is is refused with what is missing, and the model stays usable', async () => {
    await using model = await AutoModel.fromPretrained(folder, onDevice({ host: '8GB', device: 64 * MIB }));
    const many = { inputIds: [[1], [2]] };
    await expect(model.generate(many, { maxNewTokens: 4000 })).rejects.toMatchObject({
      code: 'BUDGET_TOO_SMALL',
      message: expect.stringContaining('memory.device'),
    });
    const { tokenIds } = await model.generate({ inputIds: [1] }, { maxNewTokens: 1, ignoreEos: true });
    expect(tokenIds).toHaveLength(1);
  });

  it('a promise too small is refused with the smallest that works', async () => {
    const refusal: unknown = await AutoModel.plan(folder, onDevice({ device: '20MB' })).catch(
      (error: unknown) => error,
    );
    expect(refusal).toMatchObject({ code: 'BUDGET_TOO_SMALL', fields: { deviceBytes: 20e6 } });
    const { minimumDeviceBytes } = (refusal as { fields: { minimumDeviceBytes: number } }).fields;
    const { device } = await AutoModel.plan(folder, onDevice({ device: minimumDeviceBytes }));
    expect(device).toMatchObject({ limitBytes: minimumDeviceBytes, minimumBytes: minimumDeviceBytes });
  });

  it('a share is of what the device has for this process', async () => {
    const { device } = await AutoModel.plan(folder, onDevice({ device: '25%' }));
    // A quarter of the 4 GiB that a WebGPU backend takes by default.
    expect(device?.limitBytes).toBe(1024 * MIB);
  });
});

it.each(['cpu', 'reference'] as const)(
  '%s computes in host memory and refuses memory.device',
  async (device) => {
    const opening = AutoModel.fromPretrained(folder, { device, memory: { device: '1GB' } });
    await expect(opening).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      fields: { option: 'memory.device', found: device },
    });
  },
);

/** Decoding reads what the plan names for a token: less where host memory holds some of it, and at most one round ahead. */
async function expectReadsAsPlanned(model: Model): Promise<void> {
  const read: number[] = [];
  for await (const event of model.stream({ inputIds: [7] }, { maxNewTokens: 5, ignoreEos: true })) {
    if (event) read.push(model.stats.bytesRead);
  }
  const threeTokens = (read[4] ?? NaN) - (read[1] ?? NaN);
  const { streamedBytesPerPass, pinnedBytes } = model.plan;
  expect(threeTokens).toBeGreaterThan(0);
  // What a software GPU holds is the process's, and grows it: the little that was to stay in host memory may make room.
  expect(pinnedBytes).toBeLessThan(ROOM_BYTES);
  expect(threeTokens).toBeLessThanOrEqual((3 + 1) * (streamedBytesPerPass + pinnedBytes));
}
