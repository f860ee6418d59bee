// The files that shards are made from, and how a changed one is noticed: size, time of change, and a hash of both ends,
// where headers and directories of the formats lie.

import { open, stat } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { reasonOf, ShardError, systemCode } from '../errors.js';
import { hashBytes } from '../io/checksum.js';
import type { SourceFile } from './plan-schema.js';

const END_BYTES = 256 * 1024;

/** @param path As it is kept: relative to `folder` where it lies inside. @throws ShardError `SOURCE_MISSING`, `READ_FAILED` */
export async function readSourceFile(path: string, folder: string): Promise<SourceFile> {
  const absolute = resolveSource(path, folder);
  try {
    const handle = await open(absolute, 'r');
    try {
      const { size, mtimeMs } = await handle.stat();
      const first = new Uint8Array(Math.min(END_BYTES, size));
      const last = new Uint8Array(Math.min(END_BYTES, size));
      await handle.read(first, 0, first.length, 0);
      await handle.read(last, 0, last.length, size - last.length);
      return { path, bytes: size, modifiedMs: mtimeMs, ends: hashBytes(first, last) };
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw toSourceError(cause, absolute);
  }
}

/** @throws ShardError `SOURCE_CHANGED` naming the file and what of it changed, `SOURCE_MISSING`, `READ_FAILED` */
export async function checkSourceFile(expected: SourceFile, folder: string): Promise<void> {
  const found = await readSourceFile(expected.path, folder);
  const changed = (['bytes', 'modifiedMs', 'ends'] as const).filter(
    (field) => found[field] !== expected[field],
  );
  if (changed.length === 0) return;
  const path = resolveSource(expected.path, folder);
  throw new ShardError(
    'SOURCE_CHANGED',
    `${path} is not what it was when its shards were made (${changed.map((field) => CHANGES[field]).join(', ')}). ` +
      'Remove the shards to make them again from what is there now.',
    { fields: { path, changed, expected, found } },
  );
}

const CHANGES = { bytes: 'its size', modifiedMs: 'its time of change', ends: 'its contents' };

/** As it is kept in a manifest. */
export function relativeSource(path: string, folder: string): string {
  const inside = relative(folder, path);
  return inside.startsWith('..') || isAbsolute(inside) ? path : inside;
}

export function resolveSource(path: string, folder: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

export async function sourceExists(path: string, folder: string): Promise<boolean> {
  return stat(resolveSource(path, folder)).then(
    (found) => found.isFile(),
    () => false,
  );
}

function toSourceError(cause: unknown, path: string): ShardError {
  const fields = { path };
  return systemCode(cause) === 'ENOENT'
    ? new ShardError('SOURCE_MISSING', `Expected ${path}, which the shards are made from.`, { fields, cause })
    : new ShardError('READ_FAILED', `Could not read ${path}: ${reasonOf(cause)}.`, { fields, cause });
}
