// `airllm shard`: a model as layer shards on disk, in as many bytes as it has or in fewer.

import { shardModel, verifyShards, type ShardFormat, type ShardModelOptions } from '@airllm/core';
import pc from 'picocolors';
import prettyBytes from 'pretty-bytes';
import { createDownloadProgress } from '../download-progress.js';
import { createShardProgress } from '../shard-progress.js';
import { withInterrupt } from '../with-interrupt.js';
import { expectUndamaged } from './verify.js';

export interface ShardFlags {
  compression?: string;
  doubleQuantization?: boolean;
  quantize?: string[];
  out?: string;
  layout?: string;
  keepNonFinite?: boolean;
  deleteOriginal?: boolean;
  verify?: boolean;
  replace?: boolean;
  threads?: number;
  offline?: boolean;
  revision?: string;
}

export async function shardCommand(id: string, flags: ShardFlags): Promise<void> {
  const line = createShardProgress();
  const { folder, manifest, deleted, kept } = await withInterrupt(async (signal) => {
    const { onProgress } = line;
    const shards = await shardModel(id, { ...toShardOptions(flags), signal, onProgress });
    if (flags.verify)
      expectUndamaged(shards.folder, await verifyShards(shards.folder, { signal, onProgress }));
    return shards;
  }).finally(() => line.end());
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  process.stderr.write(
    pc.dim(
      `${manifest.files.length} files, ${prettyBytes(bytes)}${flags.verify ? ', verified' : ''}${worstError(manifest)}\n`,
    ),
  );
  if (deleted.length > 0)
    process.stderr.write(
      pc.dim(`deleted ${deleted.length} original ${deleted.length === 1 ? 'file' : 'files'}\n`),
    );
  for (const path of kept) process.stderr.write(`kept ${path}: it holds tensors that are in no shard\n`);
  process.stdout.write(`${folder}\n`);
}

/** Values are checked by the sharder, which names what it accepts. */
function toShardOptions(flags: ShardFlags): ShardModelOptions {
  return {
    ...(flags.compression !== undefined && { format: flags.compression as ShardFormat }),
    ...(flags.doubleQuantization && { doubleQuantization: true }),
    ...(flags.quantize && { quantize: flags.quantize as NonNullable<ShardModelOptions['quantize']> }),
    ...(flags.layout !== undefined && { layout: flags.layout as NonNullable<ShardModelOptions['layout']> }),
    ...(flags.keepNonFinite && { nonFinite: 'keep' }),
    baseFolder: flags.out,
    deleteOriginal: flags.deleteOriginal,
    replace: flags.replace,
    threads: flags.threads,
    checkpoint: {
      ...(flags.offline && { offline: true }),
      ...(flags.revision !== undefined && { revision: flags.revision }),
      onProgress: createDownloadProgress(),
    },
  };
}

function worstError({ files }: Awaited<ReturnType<typeof shardModel>>['manifest']): string {
  const errors = files.flatMap(({ tensors }) =>
    tensors.flatMap((tensor) => tensor.errors?.relativeRms ?? []),
  );
  return errors.length === 0
    ? ''
    : `, largest relative error of a tensor ${(100 * Math.max(...errors)).toFixed(2)}%`;
}
