// Every tensor of a folder by name, from the headers of its weight files, and every claim of the index checked against
// them. What a file of either format holds is read elsewhere.

import { CheckpointError } from './checkpoint-error.js';
import type { StoredTensor } from './checkpoint.js';
import type { WeightFiles } from './choose-weights.js';
import { MAX_INDEX_BYTES, readFolderText } from './folder-files.js';
import { parseIndex, type WeightMap } from './parse-index.js';
import { readSafetensorsShard, readTorchShard } from './read-shard.js';

/**
 * The tensors of all weight files. A shard may hold tensors the index does not name; they are listed too.
 *
 * @throws CheckpointError `INVALID_INDEX`, `SHARD_MISSING`, `INVALID_SHARD`, `TENSOR_MISSING`, `DUPLICATE_TENSOR`;
 *   `DISK_FULL` and `CACHE_FAILED` where torch tensors need a row-major copy.
 */
export async function readTensors(
  folder: string,
  weights: WeightFiles,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, StoredTensor>> {
  const weightMap: WeightMap = weights.kind === 'index' ? await readIndex(folder, weights.file) : new Map();
  const files = weights.kind === 'index' ? new Set(weightMap.values()) : [weights.file];

  const tensors = new Map<string, StoredTensor>();
  const fileOf = new Map<string, string>();
  const read = weights.format === 'torch' ? readTorchShard : readSafetensorsShard;
  for (const file of files) {
    signal?.throwIfAborted();
    for (const tensor of await read({ folder, file, signal })) {
      checkNew(tensor, fileOf.get(tensor.name), file);
      tensors.set(tensor.name, tensor);
      fileOf.set(tensor.name, file);
    }
  }
  for (const [name, file] of weightMap) {
    if (fileOf.get(name) !== file) {
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

function checkNew({ name }: StoredTensor, otherFile: string | undefined, file: string): void {
  if (otherFile === undefined) return;
  throw new CheckpointError(
    'DUPLICATE_TENSOR',
    `Expected tensor ${JSON.stringify(name)} in one file but found it in ${otherFile} and ${file}.`,
    { fields: { tensor: name, files: [otherFile, file] } },
  );
}
