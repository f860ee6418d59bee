// Every tensor of a folder by name, from the headers of its weight files. Only headers are read, and every
// claim of the index is checked against them.

import { join } from 'node:path';
import { readHeader, SafetensorsError } from 'safetensors-js';
import { CheckpointError, reasonOf, systemCode } from './checkpoint-error.js';
import type { StoredTensor } from './checkpoint.js';
import type { WeightFiles } from './choose-weights.js';
import { MAX_INDEX_BYTES, readFolderText } from './folder-files.js';
import { parseIndex, type WeightMap } from './parse-index.js';

/**
 * The tensors of all weight files. A shard may hold tensors the index does not name; they are listed too.
 *
 * @throws CheckpointError `INVALID_INDEX`, `SHARD_MISSING`, `INVALID_SHARD`, `TENSOR_MISSING`, `DUPLICATE_TENSOR`.
 */
export async function readTensors(
  folder: string,
  weights: WeightFiles,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, StoredTensor>> {
  const weightMap: WeightMap = weights.kind === 'index' ? await readIndex(folder, weights.file) : new Map();
  const files = weights.kind === 'index' ? new Set(weightMap.values()) : [weights.file];

  const tensors = new Map<string, StoredTensor>();
  for (const file of files) {
    signal?.throwIfAborted();
    for (const tensor of await readShard(folder, file)) addTensor(tensors, tensor);
  }
  for (const [name, file] of weightMap) {
    if (tensors.get(name)?.path !== join(folder, file)) {
      throw new CheckpointError(
        'TENSOR_MISSING',
        `Expected tensor ${JSON.stringify(name)} in ${file}, as ${weights.file} says, but it is not there.`,
        { fields: { tensor: name, file } },
      );
    }
  }
  return tensors;
}

/** The index of a folder, parsed. */
export async function readIndex(folder: string, fileName: string): Promise<WeightMap> {
  const text = await readFolderText(folder, fileName, MAX_INDEX_BYTES);
  if (text === undefined) {
    throw new CheckpointError('NO_WEIGHTS', `Expected ${fileName} in ${folder}.`, { fields: { folder } });
  }
  return parseIndex(text, fileName);
}

async function readShard(folder: string, file: string): Promise<StoredTensor[]> {
  const path = join(folder, file);
  try {
    const { tensors } = await readHeader(path);
    return [...tensors.values()].map((tensor) => ({ ...tensor, path }));
  } catch (cause) {
    if (!(cause instanceof SafetensorsError)) throw cause;
    if (systemCode(cause.cause) === 'ENOENT') {
      throw new CheckpointError(
        'SHARD_MISSING',
        `Expected the weight file ${path} but it is not there. Download it.`,
        {
          fields: { file, path },
          cause,
        },
      );
    }
    throw new CheckpointError('INVALID_SHARD', reasonOf(cause), {
      fields: { ...cause.fields, file, path },
      cause,
    });
  }
}

function addTensor(tensors: Map<string, StoredTensor>, tensor: StoredTensor): void {
  const other = tensors.get(tensor.name);
  if (other !== undefined) {
    throw new CheckpointError(
      'DUPLICATE_TENSOR',
      `Expected tensor ${JSON.stringify(tensor.name)} in one file but found it in ${other.path} and ${tensor.path}.`,
      { fields: { tensor: tensor.name, paths: [other.path, tensor.path] } },
    );
  }
  tensors.set(tensor.name, tensor);
}
