/** @jest-environment @airllm/jest-preset/swiftshader-environment */
// As a Mac with 16 GiB would open it, on the adapter that is here: what it hands on, what it bounds, and that ops still conform.

import type { Backend } from '@airllm/backend';
import { assertConforms, conformanceCases } from '@airllm/backend/conformance';
import { createWebGpuBackend, probeWebGpu, type WebGpuBackendOptions } from '@airllm/webgpu-backend';
import { createMetalBackend } from './create-metal-backend.js';
import type { MetalHost } from './metal-host.js';
import { probeMetal } from './probe-metal.js';

const GIB = 2 ** 30;
const WORKING_SET = Math.floor((16 * GIB * 2) / 3);
const here = await probeWebGpu();
if (!here.available) console.warn(`ops of metal skipped: ${here.reason}`);
const whereAvailable = here.available ? describe : describe.skip;

const adapter = { name: 'Apple M1', vendor: 'apple', isSoftware: false, maxBufferBytes: GIB };

/** A Mac, and the options it was asked to open the GPU with. */
function mac(part: Partial<MetalHost> = {}): { host: MetalHost; asked: WebGpuBackendOptions[] } {
  const asked: WebGpuBackendOptions[] = [];
  const host: MetalHost = {
    platform: 'darwin',
    facts: () => Promise.resolve({ memoryBytes: 16 * GIB, isAppleSilicon: true, wiredLimitBytes: undefined }),
    probe: () => Promise.resolve({ available: true, adapter }),
    create: (options = {}) => {
      asked.push(options);
      const { api: _, ...others } = options;
      return createWebGpuBackend(others);
    },
    ...part,
  };
  return { host, asked };
}

describe('anywhere else', () => {
  it('says what to use instead', async () => {
    const { host } = mac({ platform: 'linux' });
    const reason = expect.stringMatching(/macOS for Metal but this is linux.*'cuda'.*'webgpu'.*'cpu'/);
    expect(await probeMetal(host)).toEqual({ available: false, reason });
    await expect(createMetalBackend({}, host)).rejects.toMatchObject({
      code: 'BACKEND_UNAVAILABLE',
      message: reason,
    });
  });
});

describe('on a Mac', () => {
  it('tells the adapter and the working set', async () => {
    const { host } = mac();
    expect(await probeMetal(host)).toEqual({ available: true, adapter, workingSetBytes: WORKING_SET });
  });

  it('tells why Metal does not work', async () => {
    const { host } = mac({ probe: () => Promise.resolve({ available: false, reason: 'no adapter' }) });
    expect(await probeMetal(host)).toEqual({ available: false, reason: 'no adapter' });
  });

  it('refuses more than the working set', async () => {
    const { host, asked } = mac();
    const fields = { byteLength: WORKING_SET + 1, freeBytes: WORKING_SET, limitBytes: WORKING_SET };
    await expect(createMetalBackend({ memoryBytes: WORKING_SET + 1 }, host)).rejects.toMatchObject({
      code: 'OUT_OF_DEVICE_MEMORY',
      message: expect.stringContaining('iogpu.wired_limit_mb'),
      fields,
    });
    expect(asked).toEqual([]);
  });
});

whereAvailable('opened', () => {
  let backend: Backend;
  const { host, asked } = mac();
  beforeAll(async () => {
    backend = await createMetalBackend({}, host);
  });
  afterAll(() => backend[Symbol.asyncDispose]());

  it('asks for the Metal adapter, and for the working set', () => {
    expect(asked).toEqual([{ api: 'metal', memoryBytes: WORKING_SET }]);
  });

  it('goes by its own name, and its memory is the host’s', () => {
    expect(backend).toMatchObject({ name: 'metal', description: expect.stringMatching(/^Metal, /) });
    expect(backend.deviceMemory).toMatchObject({ limitBytes: WORKING_SET, sharesHostMemory: true });
  });

  it('counts what it holds', () => {
    const before = backend.deviceMemory?.usedBytes ?? NaN;
    const arena = backend.createArena(1024);
    expect(backend.deviceMemory?.usedBytes).toBeGreaterThanOrEqual(before + 4096);
    arena.dispose();
    expect(backend.deviceMemory?.usedBytes).toBe(before);
  });

  it('takes a smaller limit, and knows none on Intel', async () => {
    await using small = await createMetalBackend({ memoryBytes: GIB }, host);
    expect(small.deviceMemory?.limitBytes).toBe(GIB);
    const intel = mac({
      facts: () =>
        Promise.resolve({ memoryBytes: 16 * GIB, isAppleSilicon: false, wiredLimitBytes: undefined }),
    });
    await using other = await createMetalBackend({}, intel.host);
    expect(intel.asked).toEqual([{ api: 'metal' }]);
    expect(other.deviceMemory?.sharesHostMemory).toBe(false);
  });

  for (const conformanceCase of conformanceCases()) {
    if (!/^(rmsNorm bf16|linear bf16 of many rows)$/.test(conformanceCase.name)) continue;
    it(`conforms: ${conformanceCase.name}`, async () => {
      await assertConforms(backend, conformanceCase);
    });
  }
});
