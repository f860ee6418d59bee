// Whether shards are what they were when they were made: sizes at once, contents by reading everything.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ShardError } from './errors.js';
import { checksumOfFile } from './io/file-checksum.js';
import { readManifest, type ShardFile, type ShardManifest } from './manifest.js';
import { ProgressMeter, type OnShardProgress } from './progress.js';

export interface DamagedShard {
  readonly name: string;
  readonly damage: 'missing' | 'size' | 'contents';
}

export interface VerifyOptions {
  /** Default true. Without it, only sizes are looked at. */
  readonly contents?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnShardProgress | undefined;
}

/**
 * The files of a folder that are not what the manifest says; none when all is well.
 *
 * @throws ShardError `NOT_SHARDED` for a folder without a manifest, `INVALID_MANIFEST`, `READ_FAILED`, `ABORTED`
 */
export async function verifyShards(folder: string, options: VerifyOptions = {}): Promise<DamagedShard[]> {
  const { files } = await openManifest(folder);
  const { contents = true, signal, onProgress } = options;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const meter = new ProgressMeter('verify', { files: files.length, bytes }, onProgress);
  const damaged: DamagedShard[] = [];
  for (const file of files) {
    const path = join(folder, file.name);
    let damage: DamagedShard['damage'] | undefined = await damageOfSize(path, file);
    if (damage === undefined && contents) {
      const onBytes = (count: number): void => meter.addBytes(file.name, count);
      const found = await checksumOfFile(path, { signal, onBytes });
      if (found !== file.checksum) damage = 'contents';
    }
    if (damage !== undefined) damaged.push({ name: file.name, damage });
    meter.addFile(file.name);
  }
  return damaged;
}

/** @throws ShardError `NOT_SHARDED`, `INVALID_MANIFEST`, `READ_FAILED` */
export async function openManifest(folder: string): Promise<ShardManifest> {
  const manifest = await readManifest(folder);
  if (manifest) return manifest;
  throw new ShardError(
    'NOT_SHARDED',
    `Expected the manifest of finished shards in ${folder} but there is none. Shard the model first.`,
    { fields: { folder } },
  );
}

async function damageOfSize(path: string, { bytes }: ShardFile): Promise<'missing' | 'size' | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return 'missing';
  return found.size === bytes ? undefined : 'size';
}
