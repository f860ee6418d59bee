// Failures of single reads, told the same way whichever method met them.

import { DirectIoError } from './errors.js';
import type { ReadRequest } from './read-queue.js';
import { messageOf } from './system-error.js';

/** @param errno a name such as `EIO`, in `fields.errno` */
export function readFailed(
  { file: { path } }: ReadRequest,
  failure: { fileOffset: number; errno: string; cause: unknown },
): DirectIoError {
  const { fileOffset, errno, cause } = failure;
  return new DirectIoError(
    'READ_FAILED',
    `Could not read ${path} at offset ${fileOffset}: ${messageOf(cause)}`,
    {
      fields: { path, fileOffset, errno },
      cause,
    },
  );
}

export function readCancelled({ file: { path }, fileOffset }: ReadRequest): DirectIoError {
  return new DirectIoError('READ_CANCELLED', `The read of ${path} at offset ${fileOffset} was cancelled`, {
    fields: { path, fileOffset },
  });
}

export function readerClosed({ file: { path } }: ReadRequest): DirectIoError {
  return new DirectIoError('READER_CLOSED', `Expected an open reader for ${path} but it was closed`, {
    fields: { path },
  });
}

/** Refuses a range that is not inside the memory. */
export function expectRange(request: ReadRequest): void {
  const { file, memory, bufferOffset, byteLength, fileOffset } = request;
  const sizes = [bufferOffset, byteLength, fileOffset];
  const valid = sizes.every((size) => Number.isSafeInteger(size) && size >= 0);
  if (valid && bufferOffset + byteLength <= memory.byteLength) return;
  throw new DirectIoError(
    'INVALID_READ',
    `Expected a range within the ${memory.byteLength} bytes of memory for a read of ${file.path} but received ${byteLength} bytes at ${bufferOffset}, from offset ${fileOffset}`,
    { fields: { path: file.path, bufferOffset, byteLength, fileOffset } },
  );
}
