// Torch tensors whose elements do not stand in row-major order (saved as a transpose, mostly), copied once into a
// safetensors file of this program's cache, so that everything after reads byte ranges. One file of copies for one
// weight file, found again by that file's path, size and time of change; a changed file leaves its old copies behind.

import { createHash } from 'node:crypto';
import { mkdir, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { readRowMajor, type TorchTensor } from '@airllm/torch-pickle';
import {
  isDtype,
  readHeader,
  SafetensorsError,
  writeSafetensors,
  type SafetensorsTensor,
  type TensorToWrite,
} from 'safetensors-js';
import { CheckpointError, reasonOf, systemCode } from './checkpoint-error.js';
import type { StoredTensor } from './checkpoint.js';

/** Part of every file name: a change of what the files hold changes it. */
const VERSION = 1;

/**
 * The copies of `tensors` of the file at `path`, made if there are none. Holds two blocks of 32 MiB, whatever their size.
 *
 * @throws CheckpointError `INVALID_SHARD` for views larger together than the file, `DISK_FULL`, `CACHE_FAILED`.
 */
export async function readRowMajorCopies(
  path: string,
  tensors: readonly TorchTensor[],
  { signal }: { signal: AbortSignal | undefined },
): Promise<ReadonlyMap<string, StoredTensor>> {
  if (tensors.length === 0) return new Map();
  // Tensors that are the same view share a copy; safetensors itself has no aliases.
  const views = new Map(tensors.map((tensor) => [viewKey(tensor), tensor]));
  const copyPath = await resolveCopyPath(path, [...views.values()]);

  if ((await readCopies(copyPath, views)) === undefined) await writeCopies({ path, copyPath, views, signal });
  const copies = await readCopies(copyPath, views);
  if (copies === undefined) throw cacheFailed(copyPath, new Error('it was replaced while it was read'));
  const stored = new Map<string, StoredTensor>();
  for (const tensor of tensors) {
    const copy = copies.get(views.get(viewKey(tensor))?.name ?? '');
    if (copy !== undefined) stored.set(tensor.name, { ...copy, name: tensor.name, path: copyPath });
  }
  return stored;
}

function viewKey({ dtype, byteOffset, shape, strides }: TorchTensor): string {
  return [dtype, byteOffset, shape.join('x'), strides.join('x')].join(' ');
}

/** The file of the cache; the folder is `AIRLLM_CACHE`, or `airllm` in the user's cache. */
async function resolveCopyPath(path: string, tensors: readonly TorchTensor[]): Promise<string> {
  const { size, mtimeNs } = await stat(path, { bigint: true });
  const bytes = tensors.reduce((sum, tensor) => sum + tensor.byteLength, 0);
  if (bytes > size) {
    throw new CheckpointError(
      'INVALID_SHARD',
      `${path}: expected transposed tensors of at most the file's ${size} bytes but they have ${bytes} (expanded views).`,
      { fields: { path, bytes, fileSize: Number(size) } },
    );
  }
  const key = [VERSION, await realpath(path), size, mtimeNs].join('\n');
  const root =
    process.env['AIRLLM_CACHE'] || join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'airllm');
  return join(root, 'row-major', `${createHash('sha256').update(key).digest('hex')}.safetensors`);
}

/** The copies, or undefined when the file is absent, damaged or of other tensors. */
async function readCopies(
  copyPath: string,
  views: ReadonlyMap<string, TorchTensor>,
): Promise<ReadonlyMap<string, SafetensorsTensor> | undefined> {
  try {
    const { tensors } = await readHeader(copyPath);
    const complete = [...views.values()].every(({ name, dtype, shape }) => {
      const copy = tensors.get(name);
      return copy?.dtype === dtype && copy.shape.join() === shape.join();
    });
    return complete ? tensors : undefined;
  } catch (error) {
    if (error instanceof SafetensorsError) return undefined;
    throw error;
  }
}

interface CopyRequest {
  readonly path: string;
  readonly copyPath: string;
  readonly views: ReadonlyMap<string, TorchTensor>;
  readonly signal: AbortSignal | undefined;
}

async function writeCopies({ path, copyPath, views, signal }: CopyRequest): Promise<void> {
  const tensors = [...views.values()].map((tensor): TensorToWrite => {
    const { name, dtype, shape } = tensor;
    if (!isDtype(dtype))
      throw new CheckpointError('INVALID_SHARD', `${path}: ${dtype} has no name in safetensors.`);
    return { name, dtype, shape, data: readAbortable(path, tensor, signal) };
  });
  await mkdir(dirname(copyPath), { recursive: true }).catch((cause: unknown) => {
    throw cacheFailed(copyPath, cause);
  });
  try {
    await writeSafetensors(copyPath, tensors);
  } catch (cause) {
    const failed = cause instanceof SafetensorsError && cause.code === 'WRITE_FAILED';
    throw failed ? cacheFailed(copyPath, cause.cause) : cause;
  }
}

async function* readAbortable(
  path: string,
  tensor: TorchTensor,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const block of readRowMajor(path, tensor)) {
    signal?.throwIfAborted();
    yield block;
  }
}

function cacheFailed(copyPath: string, cause: unknown): CheckpointError {
  return new CheckpointError(
    systemCode(cause) === 'ENOSPC' ? 'DISK_FULL' : 'CACHE_FAILED',
    `Could not keep the row-major copy of transposed tensors at ${copyPath}: ${reasonOf(cause)}. ` +
      'Set AIRLLM_CACHE to a folder with space that can be written.',
    { fields: { path: copyPath }, cause },
  );
}
