// Where the weights of a folder are: in its own files, or, where it has none, in the shards that were made of them. Those
// are of this project (a folder with a manifest, which is a checkpoint of its own) or of the Python AirLLM: a file for
// each layer and an empty `.done` beside each that is finished.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from './checkpoint-error.js';
import { chooseWeights, type WeightFiles } from './choose-weights.js';
import { readIndex } from './read-index.js';

/** One file, an index, or all finished files of a folder of AirLLM. */
export type FoundWeights =
  | (WeightFiles & { readonly folder: string })
  | {
      readonly format: 'safetensors';
      readonly kind: 'split';
      readonly files: readonly string[];
      readonly folder: string;
    };

/** Written last into a folder of shards, so it is complete. */
const MANIFEST = 'airllm-manifest.json';
const SPLIT_FOLDER = /^splitted_model(?:\.[\w-]+)?$/;
const DONE = '.done';

/**
 * @throws CheckpointError those of `chooseWeights`; `AMBIGUOUS_WEIGHTS` for several folders of shards, `SHARD_MISSING` for
 *   one that AirLLM has not finished
 */
export async function findWeights(folder: string, fileNames: readonly string[]): Promise<FoundWeights> {
  try {
    const weights = { folder, ...chooseWeights(fileNames, folder) };
    const isGone = weights.kind === 'index' && (await nothingIsLeft(weights, fileNames));
    return (isGone ? await findShards(folder, fileNames) : undefined) ?? weights;
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.code !== 'NO_WEIGHTS') throw error;
    const shards = await findShards(folder, fileNames);
    if (shards === undefined) throw error;
    return shards;
  }
}

/** AirLLM deletes the originals and leaves their index. */
async function nothingIsLeft(
  { folder, file }: { folder: string; file: string },
  fileNames: readonly string[],
): Promise<boolean> {
  const files = new Set((await readIndex(folder, file)).values());
  return !fileNames.some((name) => files.has(name));
}

async function findShards(folder: string, fileNames: readonly string[]): Promise<FoundWeights | undefined> {
  return findSplit(folder, fileNames) ?? (await findShardFolder(folder, fileNames));
}

function findSplit(folder: string, fileNames: readonly string[]): FoundWeights | undefined {
  const names = new Set(fileNames);
  const files = fileNames.filter((name) => name.endsWith('.safetensors'));
  const finished = fileNames
    .filter((name) => name.endsWith(`.safetensors${DONE}`))
    .map((name) => name.slice(0, -DONE.length));
  if (finished.length === 0) return undefined;
  const broken = files.find((name) => !names.has(name + DONE)) ?? finished.find((name) => !names.has(name));
  if (broken === undefined) return { format: 'safetensors', kind: 'split', files, folder };
  throw new CheckpointError(
    'SHARD_MISSING',
    `Expected ${join(folder, broken)} and ${broken}${DONE}, but one of them is not there: AirLLM was interrupted. Let it finish, or remove the folder.`,
    { fields: { file: broken, folder } },
  );
}

async function findShardFolder(
  folder: string,
  fileNames: readonly string[],
): Promise<FoundWeights | undefined> {
  const found: FoundWeights[] = [];
  for (const name of fileNames) {
    const inside = join(folder, name);
    const names: string[] = await readdir(inside).catch(() => []);
    names.sort();
    if (names.includes(MANIFEST)) found.push({ folder: inside, ...chooseWeights(names, inside) });
    else if (SPLIT_FOLDER.test(name)) found.push(...[findSplit(inside, names) ?? []].flat());
  }
  if (found.length <= 1) return found[0];
  throw new CheckpointError(
    'AMBIGUOUS_WEIGHTS',
    `Expected weights, or one folder of shards, in ${folder} but found ${found.map((shards) => shards.folder).join(', ')}. Give one of them.`,
    { fields: { folder, folders: found.map((shards) => shards.folder) } },
  );
}
