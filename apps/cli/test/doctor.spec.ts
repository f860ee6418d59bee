// `airllm doctor`, and models on `device: 'auto'`, on machines with different drivers: none, a software GPU, Vulkan drivers that end
// or hold up the process that loads them, and CUDA drivers that do not start, are too old, see no device or crash.

import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { demoModelFolder } from '@airllm/demo-model';

const bin = join(dirname(fileURLToPath(import.meta.url)), '../dist/bin.js');
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';
const folder = mkdtempSync(join(tmpdir(), 'airllm-doctor-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Paths that are not there stand for no driver. */
interface Drivers {
  /** Manifest. */
  readonly vulkan?: string;
  /** Library. */
  readonly cuda?: string;
}

/** With one Vulkan driver, one CUDA driver, and an empty model cache. */
function airllm(drivers: Drivers, ...args: string[]): Promise<Outcome> {
  const { vulkan = join(folder, 'none.json'), cuda = join(folder, 'none.so') } = drivers;
  const env = {
    ...process.env,
    ...{ NO_COLOR: '1', VK_DRIVER_FILES: vulkan, AIRLLM_CUDA_LIBRARY: cuda },
    ...{ XDG_RUNTIME_DIR: tmpdir(), HF_HUB_CACHE: join(folder, 'not-made-yet/hub') },
    ...{ AIRLLM_DEVICE_TIMEOUT: vulkan.includes('hangs') ? '3' : '60' },
  };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [bin, ...args], { env }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}

interface Device {
  device: string;
  works: boolean;
  chosen: boolean;
  isSoftware: boolean;
  reason: string;
}

interface Found {
  chosen: string;
  devices: Device[];
  disk: { folder: string; bytesPerSecond: number };
  memory: Record<string, number>;
  drivers: { vulkanManifests: string[] };
}

async function doctor(
  drivers: Drivers,
): Promise<{ found: Found; webgpu: Device | undefined; cuda: Device | undefined }> {
  const { code, stdout } = await airllm(drivers, 'doctor', '--json');
  expect(code).toBe(0);
  const found = JSON.parse(stdout) as Found;
  const named = (name: string) => found.devices.find(({ device }) => device === name);
  return { found, webgpu: named('webgpu'), cuda: named('cuda') };
}

/** Path of a library with this in it; undefined without a compiler. */
function fakeLibrary(name: string, code: string): string | undefined {
  const [source, library] = [join(folder, `${name}.cc`), join(folder, `${name}.so`)];
  writeFileSync(source, `#include <csignal>\n#include <cstdlib>\n#include <unistd.h>\n${code}\n`);
  return spawnSync('g++', ['-shared', '-fPIC', '-o', library, source]).status === 0 ? library : undefined;
}

/** Manifest of a Vulkan driver that runs this when it is loaded; undefined without a compiler. */
function fakeVulkan(name: string, code: string): string | undefined {
  const library = fakeLibrary(
    `vulkan-${name}`,
    `__attribute__((constructor)) static void load() { ${code} }`,
  );
  if (library === undefined) return undefined;
  const manifest = join(folder, `${name}.json`);
  const icd = { library_path: library, api_version: '1.3.0' };
  writeFileSync(manifest, JSON.stringify({ file_format_version: '1.0.0', ICD: icd }));
  return manifest;
}

/** Where the addon is built, and where it is not. */
const WITHOUT_LIBRARY = /none\.so but it does not load; install the NVIDIA driver|the native addon "cuda"/;

it('takes the CPU without a GPU, and says what was looked for', async () => {
  const { found, webgpu, cuda } = await doctor({});
  expect(found.chosen).toBe('cpu');
  expect(found.devices.filter(({ chosen }) => chosen)).toHaveLength(1);
  expect(webgpu).toMatchObject({ works: false, chosen: false });
  expect(webgpu?.reason).toMatch(/Expected a GPU that Dawn can use/);
  expect(cuda).toMatchObject({ works: false, chosen: false });
  expect(cuda?.reason).toMatch(WITHOUT_LIBRARY);
  expect(found.drivers.vulkanManifests).toEqual([]);
  expect(found.disk.folder).toBe(join(folder, 'not-made-yet/hub'));
  expect(found.disk.bytesPerSecond).toBeGreaterThan(0);
  expect(found.memory['autoBytes']).toBeGreaterThan(0);
  // It only looks.
  expect(existsSync(join(folder, 'not-made-yet'))).toBe(false);
});

it('is a table for people', async () => {
  const { stdout, code } = await airllm({}, 'doctor');
  expect(code).toBe(0);
  expect(stdout).toMatch(/webgpu +│ no +│ Expected a GPU/);
  expect(stdout).toMatch(/cpu +│ chosen +│/);
  expect(stdout).toContain("device 'auto' takes cpu");
  expect(stdout).toMatch(/reads .*B\/s/);
});

const RUN = ['run', demoModelFolder, 'The capital of France is', '--raw', '-n', '2'] as const;

const hasSwiftShader = existsSync(SWIFTSHADER);
if (!hasSwiftShader) console.warn(`a software GPU skipped: ${SWIFTSHADER} is not there (install chromium)`);
(hasSwiftShader ? describe : describe.skip)('with a software GPU', () => {
  it('takes the CPU and says that the GPU is one', async () => {
    const { found, webgpu } = await doctor({ vulkan: SWIFTSHADER });
    expect(found.chosen).toBe('cpu');
    expect(webgpu).toMatchObject({ works: true, isSoftware: true, chosen: false });
    expect(webgpu?.reason).toMatch(/SwiftShader.* is a software GPU/);
    expect(found.drivers.vulkanManifests).toEqual([SWIFTSHADER]);
  });

  it('uses it when it is asked for, with a notice', async () => {
    const { stdout, stderr, code } = await airllm({ vulkan: SWIFTSHADER }, ...[...RUN, '--device', 'webgpu']);
    expect(code).toBe(0);
    expect(stdout).toBe(' Paris\n');
    expect(stderr).toMatch(/is a software GPU: right, but slower than device: 'cpu'/);
  });
});

const BROKEN_VULKAN: Record<string, { code: string; says: RegExp }> = {
  aborts: { code: 'std::abort();', says: /its driver ended the process that tried it \(SIGABRT\)/ },
  crashes: { code: 'raise(SIGSEGV);', says: /its driver ended the process that tried it \(SIGSEGV\)/ },
  hangs: { code: 'for (;;) pause();', says: /its driver did not answer within 3 s/ },
};

describe.each(Object.entries(BROKEN_VULKAN))('with a Vulkan driver that %s', (name, { code, says }) => {
  const driver = fakeVulkan(name, code);
  if (driver === undefined) console.warn(`a driver that ${name} skipped: no g++ makes it`);
  const test = driver === undefined ? it.skip : it;

  test('takes the CPU and says what the driver does', async () => {
    const { found, webgpu } = await doctor({ vulkan: driver ?? '' });
    expect(found.chosen).toBe('cpu');
    expect(webgpu).toMatchObject({ works: false, chosen: false });
    expect(webgpu?.reason).toMatch(says);
  });

  test('models run on auto, and are refused by name', async () => {
    const drivers = { vulkan: driver ?? '' };
    const auto = await airllm(drivers, ...RUN);
    expect(auto).toMatchObject({ code: 0, stdout: ' Paris\n' });
    expect(auto.stderr).toMatch(new RegExp(`device 'webgpu' is not used: ${says.source}`));
    const named = await airllm(drivers, ...RUN, '--device', 'webgpu');
    expect(named).toMatchObject({ code: 1, stdout: '' });
    expect(named.stderr).toMatch(/\[BACKEND_UNAVAILABLE\]/);
    expect(named.stderr).toMatch(says);
  });
});

/** The entry points of libcuda that are asked before anything else; the numbers are those of cuda.h. */
const libcuda = (init: string, version: number) => `extern "C" {
  int cuInit(unsigned) { ${init} }
  int cuDriverGetVersion(int* v) { *v = ${version}; return 0; }
  int cuGetErrorName(int, const char** n) { *n = "CUDA_ERROR_UNKNOWN"; return 0; }
}`;

const BROKEN_CUDA: Record<string, { code: string; says: RegExp; noticed: boolean }> = {
  'does not start': {
    code: libcuda('return 999;', 13000),
    says: /Expected the CUDA driver to start but cuInit says CUDA_ERROR_UNKNOWN/,
    noticed: false,
  },
  'is too old': {
    code: libcuda('return 0;', 10020),
    says: /Expected an NVIDIA driver for CUDA 11 or later but it is for 10\.2; install a newer one/,
    noticed: false,
  },
  'sees no device': {
    code: libcuda('return 100;', 13000),
    says: /Expected an NVIDIA GPU but the driver sees none/,
    noticed: false,
  },
  crashes: {
    code: libcuda('raise(SIGSEGV); return 0;', 13000),
    says: /its driver ended the process that tried it \(SIGSEGV\)/,
    noticed: true,
  },
};

const { cuda: withoutDriver } = await doctor({});
const hasAddon = withoutDriver?.reason.includes('none.so') === true;
if (!hasAddon) console.warn(`CUDA drivers skipped: ${withoutDriver?.reason}`);
describe.each(Object.entries(BROKEN_CUDA))('with a CUDA driver that %s', (name, { code, says, noticed }) => {
  const driver = fakeLibrary(`cuda-${name.replaceAll(' ', '-')}`, code);
  if (driver === undefined) console.warn(`a CUDA driver that ${name} skipped: no g++ makes it`);
  const drivers = { cuda: driver ?? '' };
  const test = driver === undefined || !hasAddon ? it.skip : it;

  test('takes the CPU and says what the driver does', async () => {
    const { found, cuda } = await doctor(drivers);
    expect(found.chosen).toBe('cpu');
    expect(cuda).toMatchObject({ works: false, chosen: false });
    expect(cuda?.reason).toMatch(says);
  });

  test('models run on auto, and are refused by name', async () => {
    const auto = await airllm(drivers, ...RUN);
    expect(auto).toMatchObject({ code: 0, stdout: ' Paris\n' });
    // What is not there is no news; what is there and breaks is.
    if (noticed) expect(auto.stderr).toMatch(new RegExp(`device 'cuda' is not used: ${says.source}`));
    else expect(auto.stderr).not.toContain('is not used');
    const named = await airllm(drivers, ...RUN, '--device', 'cuda');
    expect(named).toMatchObject({ code: 1, stdout: '' });
    expect(named.stderr).toMatch(/\[BACKEND_UNAVAILABLE\]/);
    expect(named.stderr).toMatch(says);
  });
});
