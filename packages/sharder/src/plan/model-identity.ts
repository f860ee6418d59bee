// Which model shards were made from, so that those of another one, or of another state of it, are never taken for them.
// Known from the folder and its config alone: the weights may be gone.

import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { variantName, type ResolvedShardOptions } from './shard-options.js';

export interface ModelIdentity {
  /** `owner/name` of the hub, or the name of the folder. */
  readonly name: string;
  /** Commit of a snapshot in the hub cache; null for other folders. */
  readonly revision: string | null;
  /** SHA-256 of config.json. */
  readonly configHash: string;
}

/** A folder with config.json, as `locateCheckpoint` and `openCheckpoint` of @airllm/checkpoint give it. */
export interface ModelFolder {
  readonly folder: string;
  readText(fileName: string): Promise<string | undefined>;
}

const SNAPSHOT = /[/\\]models--([^/\\]+)[/\\]snapshots[/\\]([0-9a-f]{40})$/;

export async function readModelIdentity(model: ModelFolder): Promise<ModelIdentity> {
  const { folder } = model;
  const configHash = createHash('sha256')
    .update((await model.readText('config.json')) ?? '')
    .digest('hex');
  const [, repository, commit] = SNAPSHOT.exec(folder) ?? [];
  if (repository !== undefined && commit !== undefined)
    return { name: repository.replaceAll('--', '/'), revision: commit, configHash };
  return { name: basename(folder), revision: null, configHash };
}

export interface ShardLocation {
  readonly model: ModelIdentity;
  /** The model's own folder. */
  readonly modelFolder: string;
  /** Folder for the shards of any number of models. Default: the model's own folder. */
  readonly baseFolder?: string | undefined;
}

/**
 * Where shards lie: `airllm.4bit` in the model's own folder, `<model>-<hash>.4bit` in one that models share, and
 * `splitted_model.4bit` in the layout of AirLLM, which has no room for the model's name.
 */
export async function resolveShardFolder(
  { model, modelFolder, baseFolder }: ShardLocation,
  options: ResolvedShardOptions,
): Promise<string> {
  const base = baseFolder ?? modelFolder;
  if (options.layout === 'airllm') {
    return join(base, options.format === 'none' ? 'splitted_model' : `splitted_model.${options.format}`);
  }
  if (baseFolder === undefined) return join(base, `airllm.${variantName(options)}`);
  const source = model.revision === null ? await realpath(modelFolder) : `${model.name}@${model.revision}`;
  const hash = createHash('sha256').update(`${source}\n${model.configHash}`).digest('hex').slice(0, 8);
  const name = model.name.replace(/[^\w.-]+/g, '--').slice(0, 96) || 'model';
  return join(base, `${name}-${hash}.${variantName(options)}`);
}
