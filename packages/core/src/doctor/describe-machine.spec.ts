// Facts from the files of a system, as the kernels of two architectures write them.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeDrivers, describeMemory, parseCpuFeatures, parseOsName } from './describe-machine.js';

it('reads the extensions of an x86 processor', () => {
  const cpuinfo =
    'processor\t: 0\nmodel name\t: X\nflags\t\t: fpu sse2 fma avx2 avx512f avx512_bf16 amx_tile\nflags : avx2\n';
  expect(parseCpuFeatures(cpuinfo)).toEqual(['fma', 'avx2', 'avx512f', 'avx512_bf16', 'amx_tile']);
});

it('reads the extensions of an Arm processor', () => {
  expect(parseCpuFeatures('processor : 0\nFeatures : fp asimd asimddp i8mm bf16\n')).toEqual([
    'asimd',
    'asimddp',
    'i8mm',
    'bf16',
  ]);
  expect(parseCpuFeatures('')).toEqual([]);
});

it('reads the name of the system', () => {
  expect(parseOsName('NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12"\n')).toBe('Debian GNU/Linux 12');
  expect(parseOsName('')).toBeUndefined();
});

it('lists the named Vulkan drivers that are there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'airllm-icd-'));
  const [there, missing] = [join(folder, 'a.json'), join(folder, 'b.json')];
  writeFileSync(there, '{}');
  const { vulkanManifests } = await describeDrivers({ VK_DRIVER_FILES: `${missing}:${there}` });
  rmSync(folder, { recursive: true });
  expect(vulkanManifests).toEqual([there]);
});

it('leaves a fifth of the available memory to others', () => {
  const { availableBytes, autoBytes, totalBytes } = describeMemory();
  expect(autoBytes).toBe(Math.floor(availableBytes * 0.8));
  expect(availableBytes).toBeLessThanOrEqual(totalBytes);
});
