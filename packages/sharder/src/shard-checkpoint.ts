// The one call: a checkpoint to shards of its layers, from the first byte or from where an earlier run stopped.

import { planShards, type PlanRequest } from './plan/plan-shards.js';
import { readModelIdentity, resolveShardFolder, type ModelFolder } from './plan/model-identity.js';
import { resolveShardOptions, type ShardOptions } from './plan/shard-options.js';
import { readJournal } from './write/journal.js';
import { planOf, readManifest } from './manifest.js';
import { sourceExists } from './plan/source-files.js';
import { sourceFolderOf } from './plan/source-paths.js';
import { writeShards, type WriteShardsOptions, type WrittenShards } from './write/write-shards.js';

export interface ShardCheckpointOptions
  extends Omit<PlanRequest, 'shardFolder' | 'keepUnused'>, Omit<WriteShardsOptions, 'remake'> {
  /** Folder for the shards of any number of models. Default: the model's own folder. */
  readonly baseFolder?: string | undefined;
}

/**
 * Shards `options.checkpoint`, or finds its shards finished.
 *
 * @throws ShardError, see its codes; QuantizerError `NON_FINITE`
 * @example
 * const weights = listWeights(resolveModel(checkpoint.config));
 * const { folder } = await shardCheckpoint({ checkpoint, weights, format: '4bit', onProgress: console.log });
 * const shards = await openCheckpoint(folder);
 */
export async function shardCheckpoint(options: ShardCheckpointOptions): Promise<WrittenShards> {
  const shardFolder = await locateShards(options.checkpoint, options);
  const plan = await planShards({ ...options, shardFolder, keepUnused: options.deleteOriginal === true });
  return writeShards(plan, shardFolder, options);
}

/** The folder that the shards of a model lie in, or will; nothing of its weights need be there. */
export async function locateShards(
  model: ModelFolder,
  options: ShardOptions & { readonly baseFolder?: string | undefined } = {},
): Promise<string> {
  const location = {
    model: await readModelIdentity(model),
    modelFolder: model.folder,
    baseFolder: options.baseFolder,
  };
  return resolveShardFolder(location, resolveShardOptions(options));
}

/**
 * Uses, or finishes, the shards in `folder` by the plan that is stored with them, where originals that it names are gone.
 * Undefined when they are all there or nothing is stored: then they are planned anew, which finds what is finished.
 *
 * @throws ShardError `CORRUPT_SHARD` when a shard is damaged whose originals are gone, and as {@link shardCheckpoint}
 */
export async function resumeShards(
  folder: string,
  options: WriteShardsOptions = {},
): Promise<WrittenShards | undefined> {
  const manifest = await readManifest(folder);
  const plan = manifest ? planOf(manifest) : (await readJournal(folder))?.plan;
  if (!plan) return undefined;
  const sourceFolder = sourceFolderOf(folder, plan);
  const present = await Promise.all(plan.sources.map(({ path }) => sourceExists(path, sourceFolder)));
  return present.includes(false) ? writeShards(plan, folder, options) : undefined;
}
