// What is said where there is no driver, an old one, a broken one, or one without a device.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCudaBackend, probeCuda } from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'airllm-cuda-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A library of these C functions, as the driver's; undefined where there is no compiler. */
function fakeDriver(name: string, source: string): string | undefined {
  const [from, to] = [join(folder, `${name}.c`), join(folder, `${name}.so`)];
  writeFileSync(from, source);
  return spawnSync('cc', ['-shared', '-fPIC', '-o', to, from]).status === 0 ? to : undefined;
}

const GIVEN: Record<string, { source: string; says: RegExp }> = {
  'an older driver without an entry point': {
    source: 'int cuInit(unsigned f) { return 0; }',
    says: /cuDriverGetVersion.*install a newer NVIDIA driver/,
  },
  'a driver for CUDA 10': {
    source: `int cuInit(unsigned f) { return 0; }
      int cuDriverGetVersion(int* v) { *v = 10020; return 0; }
      int cuGetErrorName(int e, const char** n) { *n = "CUDA_ERROR"; return 0; }`,
    says: /CUDA 11 or later but it is for 10\.2/,
  },
  'no device': {
    source: `int cuInit(unsigned f) { return 100; }
      int cuDriverGetVersion(int* v) { *v = 13000; return 0; }
      int cuGetErrorName(int e, const char** n) { *n = "CUDA_ERROR_NO_DEVICE"; return 0; }`,
    says: /Expected an NVIDIA GPU but the driver sees none/,
  },
  'a driver that does not start': {
    source: `int cuInit(unsigned f) { return 999; }
      int cuDriverGetVersion(int* v) { *v = 13000; return 0; }
      int cuGetErrorName(int e, const char** n) { *n = "CUDA_ERROR_UNKNOWN"; return 0; }`,
    says: /cuInit says CUDA_ERROR_UNKNOWN/,
  },
};

const { reason: withoutDriver = '' } = await probeCuda({ library: join(folder, 'absent.so') });
const isBuilt = !withoutDriver.includes('native addon');
if (!isBuilt) console.warn(`probes of drivers skipped: ${withoutDriver}`);

(isBuilt ? describe : describe.skip)('without a usable driver', () => {
  for (const [what, { source, says }] of Object.entries(GIVEN)) {
    const library = fakeDriver(what.replaceAll(' ', '-'), source);
    if (library === undefined) console.warn(`${what} skipped: no C compiler makes the library`);
    (library === undefined ? it.skip : it)(`${what} is named`, async () => {
      const probed = await probeCuda({ ...(library !== undefined && { library }) });
      expect(probed).toMatchObject({ available: false, devices: [] });
      expect(probed.reason).toMatch(says);
      await expect(createCudaBackend({ ...(library !== undefined && { library }) })).rejects.toMatchObject({
        code: 'BACKEND_UNAVAILABLE',
        message: expect.stringMatching(says),
      });
    });
  }

  it('a library that is not there is named', async () => {
    const { available, reason } = await probeCuda({ library: join(folder, 'none.so') });
    expect(available).toBe(false);
    expect(reason).toMatch(/none\.so but it does not load; install the NVIDIA driver/);
  });

  it('the library comes from AIRLLM_CUDA_LIBRARY', async () => {
    process.env['AIRLLM_CUDA_LIBRARY'] = join(folder, 'elsewhere.so');
    try {
      expect((await probeCuda()).reason).toContain('elsewhere.so');
    } finally {
      delete process.env['AIRLLM_CUDA_LIBRARY'];
    }
  });
});
