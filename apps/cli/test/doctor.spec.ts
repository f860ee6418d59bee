// `airllm doctor`, and models on `device: 'auto'`, on machines with different drivers: none, a software GPU, and Vulkan drivers
// that end or hold up the process that loads them.

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

/** With one Vulkan driver, and an empty model cache. */
function airllm(driver: string, ...args: string[]): Promise<Outcome> {
  const env = {
    ...process.env,
    ...{ NO_COLOR: '1', VK_DRIVER_FILES: driver, HF_HUB_CACHE: join(folder, 'not-made-yet/hub') },
    ...{ XDG_RUNTIME_DIR: tmpdir(), AIRLLM_DEVICE_TIMEOUT: driver.includes('hangs') ? '3' : '60' },
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

async function doctor(driver: string): Promise<{ found: Found; webgpu: Device | undefined }> {
  const { code, stdout } = await airllm(driver, 'doctor', '--json');
  expect(code).toBe(0);
  const found = JSON.parse(stdout) as Found;
  return { found, webgpu: found.devices.find(({ device }) => device === 'webgpu') };
}

/** Manifest of a Vulkan driver that runs this when it is loaded; undefined without a compiler. */
function fakeDriver(name: string, code: string): string | undefined {
  const [source, library, manifest] = ['cc', 'so', 'json'].map((ending) => join(folder, `${name}.${ending}`));
  if (!source || !library || !manifest) return undefined;
  writeFileSync(
    source,
    `#include <csignal>\n#include <cstdlib>\n#include <unistd.h>\n__attribute__((constructor)) static void load() { ${code} }\n`,
  );
  if (spawnSync('g++', ['-shared', '-fPIC', '-o', library, source]).status !== 0) return undefined;
  const icd = { library_path: library, api_version: '1.3.0' };
  writeFileSync(manifest, JSON.stringify({ file_format_version: '1.0.0', ICD: icd }));
  return manifest;
}

it('takes the CPU without a GPU, and says what was looked for', async () => {
  const { found, webgpu } = await doctor(join(folder, 'none.json'));
  expect(found.chosen).toBe('cpu');
  expect(found.devices.filter(({ chosen }) => chosen)).toHaveLength(1);
  expect(webgpu).toMatchObject({ works: false, chosen: false });
  expect(webgpu?.reason).toMatch(/Expected a GPU that Dawn can use/);
  expect(found.drivers.vulkanManifests).toEqual([]);
  expect(found.disk.folder).toBe(join(folder, 'not-made-yet/hub'));
  expect(found.disk.bytesPerSecond).toBeGreaterThan(0);
  expect(found.memory['autoBytes']).toBeGreaterThan(0);
  // It only looks.
  expect(existsSync(join(folder, 'not-made-yet'))).toBe(false);
});

it('is a table for people', async () => {
  const { stdout, code } = await airllm(join(folder, 'none.json'), 'doctor');
  expect(code).toBe(0);
  expect(stdout).toMatch(/webgpu +│ no +│ Expected a GPU/);
  expect(stdout).toMatch(/cpu +│ chosen +│/);
  expect(stdout).toContain("device 'auto' takes cpu");
  expect(stdout).toMatch(/reads .*B\/s/);
});

const hasSwiftShader = existsSync(SWIFTSHADER);
if (!hasSwiftShader) console.warn(`a software GPU skipped: ${SWIFTSHADER} is not there (install chromium)`);
(hasSwiftShader ? describe : describe.skip)('with a software GPU', () => {
  it('takes the CPU and says that the GPU is one', async () => {
    const { found, webgpu } = await doctor(SWIFTSHADER);
    expect(found.chosen).toBe('cpu');
    expect(webgpu).toMatchObject({ works: true, isSoftware: true, chosen: false });
    expect(webgpu?.reason).toMatch(/SwiftShader.* is a software GPU/);
    expect(found.drivers.vulkanManifests).toEqual([SWIFTSHADER]);
  });

  it('uses it when it is asked for, with a notice', async () => {
    const { stdout, stderr, code } = await airllm(
      ...[SWIFTSHADER, 'run', demoModelFolder, 'The capital of France is', '--raw'],
      ...['--device', 'webgpu', '-n', '2'],
    );
    expect(code).toBe(0);
    expect(stdout).toBe(' Paris\n');
    expect(stderr).toMatch(/is a software GPU: right, but slower than device: 'cpu'/);
  });
});

const BROKEN: Record<string, { code: string; says: RegExp }> = {
  aborts: { code: 'std::abort();', says: /its driver ended the process that tried it \(SIGABRT\)/ },
  crashes: { code: 'raise(SIGSEGV);', says: /its driver ended the process that tried it \(SIGSEGV\)/ },
  hangs: { code: 'for (;;) pause();', says: /its driver did not answer within 3 s/ },
};

describe.each(Object.entries(BROKEN))('with a driver that %s', (name, { code, says }) => {
  const driver = fakeDriver(name, code);
  if (driver === undefined) console.warn(`a driver that ${name} skipped: no g++ makes it`);
  const test = driver === undefined ? it.skip : it;

  test('takes the CPU and says what the driver does', async () => {
    const { found, webgpu } = await doctor(driver ?? '');
    expect(found.chosen).toBe('cpu');
    expect(webgpu).toMatchObject({ works: false, chosen: false });
    expect(webgpu?.reason).toMatch(says);
  });

  test('models run on auto, and are refused by name', async () => {
    const args = [
      driver ?? '',
      'run',
      demoModelFolder,
      'The capital of France is',
      '--raw',
      '-n',
      '2',
    ] as const;
    const auto = await airllm(...args);
    expect(auto).toMatchObject({ code: 0, stdout: ' Paris\n' });
    expect(auto.stderr).toMatch(new RegExp(`device 'webgpu' is not used: ${says.source}`));
    const named = await airllm(...args, '--device', 'webgpu');
    expect(named).toMatchObject({ code: 1, stdout: '' });
    expect(named.stderr).toMatch(/\[BACKEND_UNAVAILABLE\]/);
    expect(named.stderr).toMatch(says);
  });
});
