// A source file that already is one shard, exactly: it gets a second name instead of a copy.

import { constants } from 'node:fs';
import { copyFile, link, open, realpath, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { MAX_HEADER_BYTES, readHeader, SafetensorsError } from 'safetensors-js';
import { systemCode, toWriteError } from '../errors.js';
import type { PlannedFile } from '../plan/plan-schema.js';

/**
 * The source of a file whose bytes can be taken as they are: a safetensors file with exactly these tensors, none of them
 * encoded. Undefined where there is none.
 */
export async function findWholeSource(
  { tensors }: PlannedFile,
  source: { readonly path: string; readonly bytes: number },
): Promise<string | undefined> {
  const { path, bytes } = source;
  const [first] = tensors;
  const isOfOne = tensors.every((tensor) => tensor.source === first?.source && tensor.format === 'none');
  const headerBytes = bytes - tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (!isOfOne || headerBytes < 0 || headerBytes > MAX_HEADER_BYTES + 8) return undefined;
  try {
    const stored = (await readHeader(path)).tensors;
    const isWhole = tensors.every(({ name, dtype, shape, byteOffset, byteLength }) =>
      isDeepStrictEqual(stored.get(name), { name, dtype, shape, byteOffset, byteLength }),
    );
    return isWhole && stored.size === tensors.length ? path : undefined;
  } catch (error) {
    // Torch files are not named as safetensors files are read.
    if (error instanceof SafetensorsError) return undefined;
    throw error;
  }
}

/** Whether a second name costs no space: the same file system, as far as can be known without trying. */
export async function isSameDevice(path: string, folder: string): Promise<boolean> {
  return (await deviceOf(path)) === (await deviceOf(folder));
}

/** Of a path that need not exist yet. */
async function deviceOf(path: string): Promise<number> {
  try {
    return (await stat(path)).dev;
  } catch (error) {
    const parent = dirname(path);
    if (systemCode(error) === 'ENOENT' && parent !== path) return deviceOf(parent);
    throw error;
  }
}

/**
 * Gives `source` the name `temporaryPath`: a hard link, else a copy that shares its blocks where the file system can,
 * else a copy. Symbolic links (of the hub cache) are followed first, so that the shard outlives them.
 *
 * @throws ShardError `DISK_FULL`, `TARGET_READ_ONLY`, `WRITE_FAILED`
 */
export async function linkShard(source: string, temporaryPath: string): Promise<void> {
  try {
    await rm(temporaryPath, { force: true });
    const target = await realpath(source);
    try {
      await link(target, temporaryPath);
    } catch (error) {
      if (!['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS'].includes(systemCode(error) ?? ''))
        throw error;
      await copyFile(target, temporaryPath, constants.COPYFILE_FICLONE);
      const handle = await open(temporaryPath, 'r+');
      await handle.sync().finally(() => handle.close());
    }
  } catch (cause) {
    await rm(temporaryPath, { force: true }).catch(() => undefined);
    throw toWriteError(cause, temporaryPath);
  }
}
