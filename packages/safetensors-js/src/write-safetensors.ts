// Tensors to a file, streamed: nothing larger than the chunks given is held, and a file of this name
// is either complete or not there.

import { randomBytes } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { quote, SafetensorsError } from './safetensors-error.js';
import { serializeHeader, type SerializeOptions, type TensorSpec } from './serialize-header.js';
import { tensorByteLength } from './tensor-byte-length.js';

export interface TensorToWrite extends TensorSpec {
  /** Little-endian elements, row-major; as many bytes as dtype and shape say, in chunks of any size. */
  readonly data: Uint8Array | AsyncIterable<Uint8Array>;
}

/**
 * Writes a file: under a temporary name in the same folder, synced, then renamed.
 * The data stands in the order of `tensors`; put what is read together side by side.
 *
 * @example
 * const data = new Uint8Array(new Float32Array([1, 2]).buffer);
 * await writeSafetensors('out.safetensors', [{ name: 'w', dtype: 'F32', shape: [2], data }]);
 *
 * @throws SafetensorsError of `serializeHeader`; `SIZE_MISMATCH` when a source gives another number of bytes;
 *   `WRITE_FAILED`. An error of a source passes through. Nothing is left behind in any case.
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  options: SerializeOptions = {},
): Promise<void> {
  const header = serializeHeader(tensors, options);
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const file = await writing(path, () => open(temporary, 'wx'));
    try {
      await writing(path, () => writeFully(file, header));
      for (const tensor of tensors) await writeTensor(file, tensor, path);
      await writing(path, () => file.sync());
    } finally {
      await file.close();
    }
    await writing(path, () => rename(temporary, path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

async function writeTensor(file: FileHandle, tensor: TensorToWrite, path: string): Promise<void> {
  const expected = tensorByteLength(tensor.dtype, tensor.shape);
  let written = 0;
  for await (const chunk of tensor.data instanceof Uint8Array ? [tensor.data] : tensor.data) {
    written += chunk.length;
    if (written > expected) break;
    await writing(path, () => writeFully(file, chunk));
  }
  if (written !== expected) {
    throw new SafetensorsError(
      'SIZE_MISMATCH',
      `Tensor ${quote(tensor.name)}: expected ${expected} bytes from its source but received ${written > expected ? 'more' : written}.`,
      { fields: { tensor: tensor.name, expected, written } },
    );
  }
}

async function writeFully(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) done += (await file.write(bytes, done)).bytesWritten;
}

async function writing<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SafetensorsError('WRITE_FAILED', `Could not write ${path}: ${reason}.`, {
      fields: { path },
      cause,
    });
  }
}

/** Makes the new name survive a power cut, where folders can be synced at all (not on Windows). */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // The file is complete under its name; only the moment the name reaches the disk is left to the system.
  }
}
