// A model whose devices fail goes on with what there is: the same device, another, the CPU; says so; and its figures are those of
// the device in use. Devices are made of the reference backend's, some with memory of their own.

import { join } from 'node:path';
import { BackendError, type Backend } from '@airllm/backend';
import { createReferenceBackend } from '@airllm/backend/reference';
import { fixturesFolder, readGoldenPrompts } from '@airllm/fixtures';
import { closeBroken } from '../src/engine/close-engine.js';
import { openModel } from '../src/auto-model.js';
import type { DeviceName } from '../src/engine/fallback-steps.js';
import { resolveOptions, type FromPretrainedOptions } from '../src/options/resolve-options.js';
import type { DeviceChoice } from '../src/select-backend.js';
import type { Model } from '../src/index.js';

const MIB = 2 ** 20;
const name = 'llama3-gqa';
const prompts = readGoldenPrompts(name);
const inputIds = prompts.map(({ input_ids }) => input_ids);
const greedy = prompts.map(({ greedy: ids }) => ids);

interface Device {
  readonly device: DeviceName;
  /** What it has of its own memory. */
  readonly deviceBytes: number | undefined;
  /** Submission that fails, with what. */
  readonly fails?: { readonly at: number; readonly code: 'DEVICE_LOST' | 'OUT_OF_DEVICE_MEMORY' };
}

/** Devices that are opened one after the other: what was asked for, and how many were closed before the next. */
class Machine {
  readonly opened: string[] = [];
  closed = 0;

  constructor(private readonly devices: readonly Device[]) {}

  readonly select = (choice: DeviceChoice): Promise<Backend> => {
    const next = this.devices[this.opened.length];
    const megabytes = choice.deviceBytes === undefined ? '' : ` ${Math.round(choice.deviceBytes / MIB)}`;
    expect(this.closed).toBe(this.opened.length);
    this.opened.push(`${choice.device}${megabytes}`);
    if (!next) return Promise.reject(new BackendError('BACKEND_UNAVAILABLE', 'there is none'));
    return Promise.resolve(this.#open(next, choice.deviceBytes));
  };

  #open({ device, deviceBytes, fails }: Device, wantedBytes: number | undefined): Backend {
    const backend = createReferenceBackend();
    const { submit } = backend;
    const dispose = backend[Symbol.asyncDispose].bind(backend);
    let submissions = 0;
    return Object.assign(backend, {
      name: device,
      description: `fake ${device}`,
      ...(deviceBytes !== undefined && {
        deviceMemory: {
          limitBytes: wantedBytes ?? deviceBytes,
          usedBytes: 5 * MIB,
          stagingBytes: MIB,
          pin: (memory: { bytes: Uint8Array; byteLength: number }) => {
            const copy = backend.allocateWeights(memory.byteLength);
            copy.bytes.set(memory.bytes);
            return Promise.resolve(copy);
          },
        },
      }),
      submit: async (...args: Parameters<typeof submit>) => {
        if (fails && submissions++ >= fails.at) throw new BackendError(fails.code, `${device} fails`);
        return submit.apply(backend, args);
      },
      [Symbol.asyncDispose]: async () => {
        this.closed += 1;
        await dispose();
      },
    });
  }
}

async function open(
  machine: Machine,
  options: FromPretrainedOptions = {},
): Promise<{ model: Model; notices: string[] }> {
  const notices: string[] = [];
  const resolved = resolveOptions({
    ...{ device: 'webgpu', onDeviceLost: 'fallback' },
    onNotice: (line) => void notices.push(line),
    ...options,
  });
  const model = await openModel(join(fixturesFolder, name), resolved, {
    select: machine.select,
    devices: fallback(),
  });
  return { model, notices };
}

async function* fallback(): AsyncGenerator<DeviceName> {
  await Promise.resolve();
  yield* ['webgpu', 'cpu', 'reference'] as const;
}

async function generate(model: Model): Promise<unknown> {
  const results = await model.generate({ inputIds }, { maxNewTokens: 24, ignoreEos: true });
  return results.map(({ tokenIds }) => tokenIds);
}

const ownMemory = 256 * MIB;
const lostAt = (at: number): Device['fails'] => ({ at, code: 'DEVICE_LOST' });

it('goes on with the same device once, then with the CPU, and tells what is true then', async () => {
  const machine = new Machine([
    { device: 'webgpu', deviceBytes: ownMemory, fails: lostAt(30) },
    { device: 'webgpu', deviceBytes: ownMemory, fails: lostAt(20) },
    { device: 'cpu', deviceBytes: undefined },
  ]);
  const { model, notices } = await open(machine);
  await using _ = model;
  expect(model.plan.device?.limitBytes).toBe(ownMemory);
  const before = model.stats.bytesRead;
  expect(await generate(model)).toEqual(greedy);
  expect(machine.opened).toEqual(['webgpu', 'webgpu', 'cpu']);
  expect(model.device).toBe('fake cpu');
  expect(model.plan.device).toBeUndefined();
  expect(model.stats.deviceBytes).toBeUndefined();
  // Every engine has read all weights: what the earlier ones read is not forgotten.
  expect(model.stats.bytesRead - before).toBeGreaterThan(2 * model.plan.weightBytes);
  expect(model.stats.generatedTokens).toBe(greedy.flat().length);
  expect(notices.filter((line) => /device|goes on/.test(line))).toEqual([
    expect.stringMatching(/'webgpu' failed: webgpu fails .* opening it again/),
    expect.stringMatching(/goes on with fake webgpu/),
    expect.stringMatching(/'webgpu' failed: webgpu fails .* falling back to device 'cpu'/),
    expect.stringMatching(/goes on with fake cpu/),
  ]);
});

it('asks a device that is out of memory for less, down to the least, then goes on with the CPU', async () => {
  const fails = { at: 30, code: 'OUT_OF_DEVICE_MEMORY' } as const;
  const tight = { device: 'webgpu', deviceBytes: ownMemory, fails } as const;
  const machine = new Machine([tight, tight, tight, { device: 'cpu', deviceBytes: undefined }]);
  const { model } = await open(machine);
  await using _ = model;
  expect(await generate(model)).toEqual(greedy);
  // It held 5 MiB: half of 256 MiB is more. The least is 64 MiB.
  expect(machine.opened).toEqual(['webgpu', 'webgpu 128', 'webgpu 64', 'cpu']);
});

it('ends with the typed error when every device is lost again and again', async () => {
  const endless = (device: DeviceName): Device => ({ device, deviceBytes: undefined, fails: lostAt(7) });
  const devices = (['webgpu', 'cpu', 'reference'] as const).flatMap((device) => [
    endless(device),
    endless(device),
  ]);
  const machine = new Machine(devices);
  const { model } = await open(machine);
  for (let i = 0; i < 2; i++) await expect(generate(model)).rejects.toMatchObject({ code: 'DEVICE_LOST' });
  expect(machine.opened).toEqual(['webgpu', 'webgpu', 'cpu', 'cpu', 'reference', 'reference']);
  await model[Symbol.asyncDispose]();
  expect(machine.closed).toBe(6);
});

it('ends with the typed error at once unless a fallback is asked for', async () => {
  const machine = new Machine([{ device: 'webgpu', deviceBytes: ownMemory, fails: lostAt(30) }]);
  const { model } = await open(machine, { onDeviceLost: 'throw' });
  await expect(generate(model)).rejects.toMatchObject({ code: 'DEVICE_LOST', message: 'webgpu fails' });
  await model[Symbol.asyncDispose]();
  expect(machine.opened).toEqual(['webgpu']);
  expect(machine.closed).toBe(1);
});

it('closes a device that does not answer no longer than it is patient', async () => {
  const never = { [Symbol.asyncDispose]: () => new Promise<void>(() => undefined) };
  const broken = { [Symbol.asyncDispose]: () => Promise.reject(new Error('broken')) };
  expect(await closeBroken(never, 1)).toMatch(/had not closed/);
  expect(await closeBroken(broken)).toBe('broken');
});
