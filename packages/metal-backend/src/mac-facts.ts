// What a Mac says of itself, through `sysctl`.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface MacFacts {
  /** Physical memory. */
  readonly memoryBytes: number;
  /** CPU and GPU share it. */
  readonly isAppleSilicon: boolean;
  /** What the GPU may wire at most, where somebody set that. */
  readonly wiredLimitBytes: number | undefined;
}

/** Names of `sysctl`; the second is 1 on Apple silicon and missing elsewhere, the third is in MiB, 0 for the system's default. */
const NAMES = ['hw.memsize', 'hw.optional.arm64', 'iogpu.wired_limit_mb'] as const;
const MIB = 2 ** 20;

/** Prints a `name: value` line for each name that it knows. */
export type Sysctl = (names: readonly string[]) => Promise<string>;

/** Undefined where `sysctl` tells no size of memory: not a Mac. */
export async function readMacFacts(sysctl: Sysctl = runSysctl): Promise<MacFacts | undefined> {
  const values = new Map<string, number>();
  for (const line of (await sysctl(NAMES)).split('\n')) {
    const [, name, value] = /^([\w.]+):\s*(\d+)$/.exec(line.trim()) ?? [];
    if (name !== undefined) values.set(name, Number(value));
  }
  const [memoryBytes = 0, arm64 = 0, wiredLimit = 0] = NAMES.map((name) => values.get(name));
  if (memoryBytes <= 0) return undefined;
  return {
    memoryBytes,
    isAppleSilicon: arm64 === 1,
    wiredLimitBytes: wiredLimit > 0 ? wiredLimit * MIB : undefined,
  };
}

async function runSysctl(names: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)('/usr/sbin/sysctl', [...names], { timeout: 5000 })).stdout;
  } catch (error) {
    // It ends with an error for a name that it does not know, after it printed the others.
    return typeof error === 'object' && error !== null && 'stdout' in error ? String(error.stdout) : '';
  }
}
