// Reading small files of a checkpoint's folder: by plain name only, and bounded by a named limit before
// memory is reserved. Symbolic links are followed: the hub cache is made of them, and people link shards
// from other disks. What is read must be a regular file.

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError, reasonOf, systemCode } from './checkpoint-error.js';
import { parseJson } from './parse-json.js';

/** config.json of published models stays below 100 kB. */
export const MAX_CONFIG_BYTES = 16 * 2 ** 20;
/** An index names every tensor: 15 MB for the largest mixtures of experts published. */
export const MAX_INDEX_BYTES = 128 * 2 ** 20;
/** tokenizer.json with 256k entries is 35 MB. */
export const MAX_TEXT_BYTES = 256 * 2 ** 20;

const MAX_NAME_CHARS = 255;

/** True for a name that cannot leave its folder on any platform. */
export function isPlainFileName(name: string): boolean {
  return name.length <= MAX_NAME_CHARS && /^[^/\\:\p{Cc}]+$/u.test(name) && name !== '.' && name !== '..';
}

/**
 * The text of a file, or undefined when there is none.
 *
 * @throws CheckpointError `INVALID_FILE_NAME`, `FILE_TOO_LARGE`, `READ_FAILED`, `INVALID_JSON` for text that is not UTF-8.
 */
export async function readFolderText(
  folder: string,
  fileName: string,
  maxBytes: number = MAX_TEXT_BYTES,
): Promise<string | undefined> {
  if (!isPlainFileName(fileName)) {
    throw new CheckpointError(
      'INVALID_FILE_NAME',
      `Expected the plain name of a file in ${folder} but found ${JSON.stringify(fileName.slice(0, MAX_NAME_CHARS))}.`,
      { fields: { fileName } },
    );
  }
  const path = join(folder, fileName);
  const bytes = await readBounded(path, maxBytes);
  if (bytes === undefined) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CheckpointError(
      'INVALID_JSON',
      `Expected ${path} to be UTF-8 text. It is damaged: fetch it again.`,
      {
        fields: { path },
        cause,
      },
    );
  }
}

/** As `readFolderText`, parsed. */
export async function readFolderJson(folder: string, fileName: string, maxBytes?: number): Promise<unknown> {
  const text = await readFolderText(folder, fileName, maxBytes);
  return text === undefined ? undefined : parseJson(text, join(folder, fileName));
}

async function readBounded(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  try {
    const info = await stat(path);
    if (!info.isFile()) {
      throw new CheckpointError('READ_FAILED', `Expected a regular file at ${path}.`, { fields: { path } });
    }
    if (info.size > maxBytes) {
      throw new CheckpointError(
        'FILE_TOO_LARGE',
        `Expected ${path} to have at most ${maxBytes} bytes but found ${info.size}.`,
        { fields: { path, bytes: info.size, limit: maxBytes } },
      );
    }
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause;
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw new CheckpointError('READ_FAILED', `Could not read ${path}: ${reasonOf(cause)}.`, {
      fields: { path },
      cause,
    });
  }
}
