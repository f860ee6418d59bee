// One weight file to its tensors, for each format a checkpoint may come in.

import { join } from 'node:path';
import { readTorchFile, TorchPickleError, type TorchTensor } from '@airllm/torch-pickle';
import { readHeader, SafetensorsError } from 'safetensors-js';
import { CheckpointError, reasonOf, systemCode } from './checkpoint-error.js';
import type { StoredTensor } from './checkpoint.js';
import { readRowMajorCopies } from './row-major-copies.js';

export interface ShardRequest {
  readonly folder: string;
  readonly file: string;
  readonly signal: AbortSignal | undefined;
}

/** @throws CheckpointError `SHARD_MISSING`, `INVALID_SHARD`. */
export async function readSafetensorsShard({ folder, file }: ShardRequest): Promise<StoredTensor[]> {
  const path = join(folder, file);
  return naming({ file, path }, async () => {
    const { tensors } = await readHeader(path);
    return [...tensors.values()].map((tensor) => ({ ...tensor, path }));
  });
}

/**
 * Row-major tensors are used where they lie; the others (transposed when they were saved) from a copy in the cache.
 *
 * @throws CheckpointError `SHARD_MISSING`, `INVALID_SHARD`, `DISK_FULL`, `CACHE_FAILED`.
 */
export async function readTorchShard({ folder, file, signal }: ShardRequest): Promise<StoredTensor[]> {
  const path = join(folder, file);
  return naming({ file, path }, async () => {
    const tensors = [...(await readTorchFile(path)).tensors.values()];
    const scattered = tensors.filter((tensor) => !tensor.isContiguous);
    const copies = await readRowMajorCopies(path, scattered, { signal });
    return tensors.map((tensor) => copies.get(tensor.name) ?? inPlace(tensor, path));
  });
}

function inPlace({ name, dtype, shape, byteOffset, byteLength }: TorchTensor, path: string): StoredTensor {
  return { name, dtype, shape, path, byteOffset, byteLength };
}

async function naming<T>(where: { file: string; path: string }, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (!(cause instanceof SafetensorsError) && !(cause instanceof TorchPickleError)) throw cause;
    if (systemCode(cause.cause) === 'ENOENT') {
      throw new CheckpointError(
        'SHARD_MISSING',
        `Expected the weight file ${where.path} but it is not there. Download it.`,
        { fields: where, cause },
      );
    }
    throw new CheckpointError('INVALID_SHARD', reasonOf(cause), {
      fields: { ...cause.fields, ...where },
      cause,
    });
  }
}
