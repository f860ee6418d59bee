// Facts about the machine that need no driver: system, memory, and which drivers' files are there.

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { arch, availableParallelism, cpus, homedir, platform, release, totalmem } from 'node:os';
import { delimiter, join } from 'node:path';
import { availableMemory, resolveHostBytes } from '../options/host-memory.js';
import type { DriverFacts, MemoryFacts, SystemFacts } from './diagnosis.js';

/** Extensions that kernels of this project, or of drivers, use. */
const FEATURES =
  /^(avx2|avx_vnni|avx512(f|bw|vnni|_vnni|_bf16|_fp16)|amx_\w+|f16c|fma|asimd\w*|bf16|i8mm|sve2?)$/;

export async function describeSystem(): Promise<SystemFacts> {
  return {
    node: process.version,
    platform: `${platform()}-${arch()}`,
    os: `${parseOsName(await readOr('/etc/os-release')) ?? platform()} (kernel ${release()})`,
    cpu: cpus()[0]?.model.trim() || 'unknown',
    cores: availableParallelism(),
    cpuFeatures: parseCpuFeatures(await readOr('/proc/cpuinfo')),
  };
}

/** `PRETTY_NAME` of an os-release file. */
export function parseOsName(osRelease: string): string | undefined {
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(osRelease)?.[1];
}

/** Of the first processor of /proc/cpuinfo: `flags` on x86, `Features` on Arm. */
export function parseCpuFeatures(cpuinfo: string): string[] {
  const flags = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(cpuinfo)?.[1] ?? '';
  return flags.split(/\s+/).filter((flag) => FEATURES.test(flag));
}

export function describeMemory(): MemoryFacts {
  // 0 or more than there is: nothing limits this process.
  const limitBytes = process.constrainedMemory();
  const availableBytes = availableMemory();
  return {
    totalBytes: totalmem(),
    availableBytes,
    limitBytes: limitBytes > 0 && limitBytes < totalmem() ? limitBytes : undefined,
    autoBytes: resolveHostBytes('auto', availableBytes),
  };
}

const NODES = /^(nvidia\d+|dxg|kfd)$/;
/** Where Vulkan's loader looks for manifests without variables. */
const MANIFEST_FOLDERS = ['/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/usr/share/vulkan/icd.d'];
const LOADER_FOLDERS = [
  `/usr/lib/${arch() === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`,
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/lib',
];

export async function describeDrivers(env: NodeJS.ProcessEnv = process.env): Promise<DriverFacts> {
  const loaders = LOADER_FOLDERS.map((folder) => join(folder, 'libvulkan.so.1'));
  return {
    gpuNodes: [...(await list('/dev', NODES)), ...(await list('/dev/dri', /^renderD\d+$/))],
    vulkanManifests: await findManifests(env),
    vulkanLoader: loaders.find((path) => existsSync(path)),
    nvidia: (await readOr('/proc/driver/nvidia/version')).split('\n')[0] || undefined,
  };
}

/** `VK_DRIVER_FILES` replaces the folders; files that are named there and missing are left out. */
async function findManifests(env: NodeJS.ProcessEnv): Promise<string[]> {
  const named = env['VK_DRIVER_FILES'] || env['VK_ICD_FILENAMES'];
  if (named) return named.split(delimiter).filter((path) => existsSync(path));
  const folders = [
    ...MANIFEST_FOLDERS,
    join(env['XDG_DATA_HOME'] || join(homedir(), '.local/share'), 'vulkan/icd.d'),
  ];
  const found = await Promise.all(folders.map((folder) => list(folder, /\.json$/)));
  return found.flat();
}

async function list(folder: string, pattern: RegExp): Promise<string[]> {
  try {
    return (await readdir(folder))
      .filter((name) => pattern.test(name))
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return []; // Not on this system.
  }
}

async function readOr(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}
