// A model as layer shards: found, finished where a run was interrupted, or made; and the checkpoint that they are.

import { locateCheckpoint, openCheckpoint, type OpenCheckpointOptions } from '@airllm/checkpoint';
import { listWeights, resolveModel } from '@airllm/model-zoo';
import type { ShardOptions, WriteShardsOptions, WrittenShards } from '@airllm/sharder';
import { effectiveConfig } from './effective-config.js';
import { CoreError } from './errors.js';
import { loadSharder } from './sharder-library.js';

export interface ShardModelOptions extends ShardOptions, Omit<WriteShardsOptions, 'remake'> {
  /** Folder for the shards of any number of models. Default: the model's own folder. */
  readonly baseFolder?: string | undefined;
  /** For opening the model, downloads included. */
  readonly checkpoint?: OpenCheckpointOptions;
}

/**
 * Shards a model, or finds its shards. Where originals were deleted, shards are used, or finished, without them.
 *
 * @throws CheckpointError, ModelError, ShardError, QuantizerError; CoreError `INVALID_OPTION` for a .gguf file
 * @example
 * const { folder } = await shardModel('path/or/hub-id', { format: '4bit', onProgress: console.log });
 * await using model = await AutoModel.fromPretrained(folder);
 */
export async function shardModel(idOrPath: string, options: ShardModelOptions = {}): Promise<WrittenShards> {
  const { checkpoint: opening = {}, ...sharding } = options;
  refuseGguf(idOrPath);
  const { locateShards, readManifest, resumeShards, shardCheckpoint } = await loadSharder();
  const located = await locateCheckpoint(idOrPath, opening);
  if (located) {
    const own = await readManifest(located.folder);
    if (own && own.options.format === (sharding.format ?? 'none')) {
      return { folder: located.folder, manifest: own, deleted: [], kept: [] };
    }
    const resumed = await resumeShards(await locateShards(located, sharding), sharding);
    if (resumed) return resumed;
  }
  const checkpoint = await openCheckpoint(idOrPath, opening);
  const weights = listWeights(resolveModel(await effectiveConfig(checkpoint), checkpoint));
  return shardCheckpoint({ ...sharding, checkpoint, weights });
}

/**
 * The folder of a model's finished shards.
 *
 * @throws ShardError `NOT_SHARDED` when there are none yet
 */
export async function findShards(idOrPath: string, options: ShardModelOptions): Promise<string> {
  refuseGguf(idOrPath);
  const { locateShards, readManifest, ShardError } = await loadSharder();
  const located = await locateCheckpoint(idOrPath, options.checkpoint);
  const folder = located && (await locateShards(located, options));
  if (folder !== undefined && (await readManifest(folder))) return folder;
  throw new ShardError(
    'NOT_SHARDED',
    `Expected shards of ${idOrPath} as ${options.format ?? 'none'}, but they are not made yet. Run airllm shard, or load the model once.`,
    { fields: { id: idOrPath, folder } },
  );
}

function refuseGguf(idOrPath: string): void {
  if (!/\.gguf$/i.test(idOrPath)) return;
  throw new CoreError(
    'INVALID_OPTION',
    `Expected a checkpoint folder or hub id to shard but received ${idOrPath}: a GGUF file is run as it is.`,
    { fields: { found: idOrPath } },
  );
}
