// Random access to bytes, and the one for files. It owns opening, bounds and short reads; what the bytes
// mean is decided elsewhere.

import { constants } from 'node:buffer';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { SafetensorsError } from './safetensors-error.js';

/** Anything with a size and random access: a file, a buffer, a remote object. */
export interface ByteReader {
  readonly size: number;
  /** Exactly `length` bytes from `position`; only called for ranges inside `size`. */
  read(position: number, length: number): Promise<Uint8Array>;
}

/** One read of the operating system moves at most 2^31 - 1 bytes. */
const MAX_READ_BYTES = 2 ** 30;

/** Runs `use` with the reader given, or with one for the file at a path, which is closed afterwards. */
export async function withReader<T>(
  source: string | ByteReader,
  use: (reader: ByteReader) => Promise<T>,
): Promise<T> {
  if (typeof source !== 'string') return use(source);
  const file = await openFile(source);
  try {
    const { size } = await file.stat();
    return await use({ size, read: (position, length) => readFully(file, position, length) });
  } catch (cause) {
    throw toReadError(cause, source);
  } finally {
    await file.close();
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    // Opening a named pipe would wait for a writer for ever, so look first.
    if ((await stat(path)).isFile()) return await open(path, 'r');
  } catch (cause) {
    throw toReadError(cause, path);
  }
  throw new SafetensorsError('READ_FAILED', `Expected a regular file at ${path}.`, { fields: { path } });
}

async function readFully(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  if (length > constants.MAX_LENGTH) {
    throw new SafetensorsError(
      'READ_FAILED',
      `Expected at most ${constants.MAX_LENGTH} bytes in one array but ${length} were asked for. Read the file in ranges.`,
      { fields: { length } },
    );
  }
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(
      bytes,
      done,
      Math.min(length - done, MAX_READ_BYTES),
      position + done,
    );
    if (bytesRead === 0) {
      throw new SafetensorsError(
        'READ_FAILED',
        `Expected ${length} bytes at offset ${position} but the file ended after ${done}.`,
        { fields: { position, length, bytesRead: done } },
      );
    }
    done += bytesRead;
  }
  return bytes;
}

function toReadError(cause: unknown, path: string): SafetensorsError {
  if (cause instanceof SafetensorsError) {
    // The same error with the path it was missing.
    if ('path' in cause.fields) return cause;
    return new SafetensorsError(cause.code, `${path}: ${cause.message}`, {
      fields: { ...cause.fields, path },
      cause,
    });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SafetensorsError('READ_FAILED', `Could not read ${path}: ${reason}.`, {
    fields: { path },
    cause,
  });
}
