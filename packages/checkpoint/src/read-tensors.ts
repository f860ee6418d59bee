// Every tensor of a folder by name, from the headers of its weight files, and every claim of the index checked against
// them. What a file of either format holds is read elsewhere.

import { CheckpointError } from './checkpoint-error.js';
import type { StoredTensor } from './checkpoint.js';
import type { FoundWeights } from './find-weights.js';
import type { WeightMap } from './parse-index.js';
import { readIndex } from './read-index.js';
import { readSafetensorsShard, readTorchShard } from './read-shard.js';

/**
 * The tensors of all weight files. A shard may hold tensors the index does not name; they are listed too.
 *
 * @throws CheckpointError `INVALID_INDEX`, `SHARD_MISSING`, `INVALID_SHARD`, `TENSOR_MISSING`, `DUPLICATE_TENSOR`;
 *   `DISK_FULL` and `CACHE_FAILED` where torch tensors need a row-major copy.
 */
export async function readTensors(
  weights: FoundWeights,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, StoredTensor>> {
  const { folder } = weights;
  const { weightMap, files } = await listWeightFiles(weights);

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
        `Expected tensor ${JSON.stringify(name)} in ${file}, as the index in ${folder} says, but it is not there.`,
        { fields: { tensor: name, file } },
      );
    }
  }
  return tensors;
}

async function listWeightFiles(
  weights: FoundWeights,
): Promise<{ weightMap: WeightMap; files: Iterable<string> }> {
  switch (weights.kind) {
    case 'single':
      return { weightMap: new Map(), files: [weights.file] };
    case 'split':
      return { weightMap: new Map(), files: weights.files };
    case 'index': {
      const weightMap = await readIndex(weights.folder, weights.file);
      return { weightMap, files: new Set(weightMap.values()) };
    }
  }
}

function checkNew({ name }: StoredTensor, otherFile: string | undefined, file: string): void {
  if (otherFile === undefined) return;
  throw new CheckpointError(
    'DUPLICATE_TENSOR',
    `Expected tensor ${JSON.stringify(name)} in one file but found it in ${otherFile} and ${file}.`,
    { fields: { tensor: name, files: [otherFile, file] } },
  );
}
