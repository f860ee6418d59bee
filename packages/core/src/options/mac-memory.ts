// What a Mac can make free. Node.js counts free pages alone before libuv 1.52, and macOS keeps those few: files that were read and
// memory that can be purged take the rest, and give it back when it is wanted.

import { execFileSync } from 'node:child_process';

/** Bytes; undefined where `vm_stat` does not say. */
export function availableMemoryOfMac(): number | undefined {
  try {
    return parseVmStat(execFileSync('/usr/bin/vm_stat', { encoding: 'utf8', timeout: 5000 }));
  } catch {
    return undefined;
  }
}

const RECLAIMABLE = ['free', 'inactive', 'speculative', 'purgeable'];

/** Bytes of the pages that are free, inactive, speculative or purgeable, of what `vm_stat` prints. */
export function parseVmStat(output: string): number | undefined {
  const pageBytes = Number(/page size of (\d+) bytes/.exec(output)?.[1]);
  let pages = 0;
  for (const name of RECLAIMABLE) {
    pages += Number(new RegExp(`^Pages ${name}:\\s+(\\d+)\\.$`, 'm').exec(output)?.[1] ?? NaN);
  }
  const bytes = pages * pageBytes;
  return bytes > 0 ? bytes : undefined;
}
