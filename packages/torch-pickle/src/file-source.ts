// Random access to a file: regular, of a known size, every read inside it.

import { open, stat, type FileHandle } from 'node:fs/promises';
import { reasonOf, TorchPickleError } from './torch-pickle-error.js';

/** Anything with a size and random access. */
export interface ByteSource {
  readonly size: number;
  /** Exactly `length` bytes from `position`. @throws TorchPickleError `READ_FAILED`. */
  read(position: number, length: number): Promise<Uint8Array>;
}

/** A file that stays open until `close`. */
export interface OpenFile extends ByteSource {
  close(): Promise<void>;
}

/** Opens the file at `path`. @throws TorchPickleError `READ_FAILED`, also when it is not a regular file. */
export async function openFile(path: string): Promise<OpenFile> {
  const handle = await openRegular(path);
  const { size } = await handle.stat();
  return {
    size,
    read: (position, length) => readFully(handle, { path, position, length, size }),
    close: () => handle.close(),
  };
}

async function openRegular(path: string): Promise<FileHandle> {
  try {
    // Opening a named pipe would wait for a writer for ever, so look first.
    if ((await stat(path)).isFile()) return await open(path, 'r');
  } catch (cause) {
    throw failed(path, reasonOf(cause), cause);
  }
  throw failed(path, 'it is not a regular file');
}

interface FileRange {
  readonly path: string;
  readonly position: number;
  readonly length: number;
  readonly size: number;
}

async function readFully(
  handle: FileHandle,
  { path, position, length, size }: FileRange,
): Promise<Uint8Array> {
  if (!(position >= 0 && length >= 0 && position <= size - length)) {
    throw failed(path, `expected ${length} bytes at ${position} but it has ${size}`);
  }
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle
      .read(bytes, done, length - done, position + done)
      .catch((cause: unknown) => {
        throw failed(path, reasonOf(cause), cause);
      });
    if (bytesRead === 0) throw failed(path, 'it became shorter while it was read');
    done += bytesRead;
  }
  return bytes;
}

function failed(path: string, reason: string, cause?: unknown): TorchPickleError {
  return new TorchPickleError('READ_FAILED', `Could not read ${path}: ${reason}.`, {
    fields: { path },
    cause,
  });
}
