// `airllm verify`: reads shards back and compares checksums; with --repair, makes damaged ones again.

import { AirllmError, repairShards, verifyShards, type DamagedShard } from '@airllm/core';
import pc from 'picocolors';
import { createShardProgress } from '../shard-progress.js';
import { withInterrupt } from '../with-interrupt.js';

const DAMAGE = {
  missing: 'is not there',
  size: 'is not as long as it was',
  contents: 'does not have the bytes it had',
} as const;

export async function verifyCommand(folder: string, flags: { repair?: boolean }): Promise<void> {
  const line = createShardProgress();
  const damaged = await withInterrupt(async (signal) => {
    const { onProgress } = line;
    const found = await verifyShards(folder, { signal, onProgress });
    if (found.length === 0 || !flags.repair) return found;
    for (const { name, damage } of found)
      process.stderr.write(`${name} ${DAMAGE[damage]}: making it again\n`);
    await repairShards(
      folder,
      found.map(({ name }) => name),
      { signal, onProgress },
    );
    return verifyShards(folder, { signal, onProgress });
  }).finally(() => line.end());
  expectUndamaged(folder, damaged);
  process.stdout.write(`${pc.green('ok')} every shard in ${folder} is as it was written\n`);
}

/** @throws AirllmError `CORRUPT_SHARD` naming every damaged file */
export function expectUndamaged(folder: string, damaged: readonly DamagedShard[]): void {
  if (damaged.length === 0) return;
  const list = damaged.map(({ name, damage }) => `${name} ${DAMAGE[damage]}`).join('; ');
  throw new AirllmError(
    `In ${folder}: ${list}. airllm verify --repair makes them again from the originals.`,
    {
      code: 'CORRUPT_SHARD',
      fields: { folder, files: damaged.map(({ name }) => name) },
    },
  );
}
