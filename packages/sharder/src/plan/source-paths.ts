// Absolute paths of what a plan or a manifest was made from.

import { resolve } from 'node:path';
import type { ShardPlan } from './plan-schema.js';
import { resolveSource } from './source-files.js';

type Sources = Pick<ShardPlan, 'sourceFolder' | 'sources'>;

/** @param folder Of the shards. */
export function sourceFolderOf(folder: string, { sourceFolder }: Sources): string {
  return resolve(folder, sourceFolder);
}

/** @param source Index of the file. */
export function sourcePathOf(folder: string, sources: Sources, source: number): string {
  const path = sources.sources[source]?.path;
  if (path !== undefined) return resolveSource(path, sourceFolderOf(folder, sources));
  throw new RangeError(`Expected a source below ${sources.sources.length} but received ${source}`);
}
