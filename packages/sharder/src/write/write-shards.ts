// A plan carried out: under a lock, from where an earlier run stopped, every file finished in the background while the
// next one is written. The manifest comes last.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ShardError } from '../errors.js';
import { createManifest, MANIFEST_NAME, type ShardFile, type ShardManifest } from '../manifest.js';
import { diskFull, diskNeed, freeBytesOf } from '../plan/disk-space.js';
import type { ShardPlan } from '../plan/plan-schema.js';
import { checkSourceFile } from '../plan/source-files.js';
import { sourceFolderOf } from '../plan/source-paths.js';
import { ProgressMeter, type OnShardProgress } from '../progress.js';
import { writeFileDurably } from './durable-file.js';
import { FolderLock } from './folder-lock.js';
import { Journal } from './journal.js';
import { OriginalDeleter } from './original-deleter.js';
import { readRunState, removeTemporaryFiles, type RunState } from './run-state.js';
import { ShardPipeline } from './shard-pipeline.js';
import { copySmallFiles, writeIndex } from './small-files.js';

export interface WriteShardsOptions {
  /** Stops between two reads; what is finished stays. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnShardProgress | undefined;
  /** Threads that encode. Default: one per core. */
  readonly threads?: number | undefined;
  /** Delete each original once everything in it lies in shards that were read back and found right. Default false. */
  readonly deleteOriginal?: boolean | undefined;
  /** Make those shards again whose originals have changed since. Default false: they are refused. */
  readonly replace?: boolean | undefined;
  /** Names of files to make again although they are there. Default none. */
  readonly remake?: ReadonlySet<string> | undefined;
}

export interface WrittenShards {
  /** Absolute path of the folder; a checkpoint of its own. */
  readonly folder: string;
  readonly manifest: ShardManifest;
  /** Originals that were deleted, in this run. */
  readonly deleted: readonly string[];
  /** Originals that were to be deleted and hold something that is not in the shards. */
  readonly kept: readonly string[];
}

/**
 * Writes the shards of `plan` into `folder`, or finds them there. Holds at most 256 MB, whatever the model.
 *
 * @throws ShardError, see its codes; QuantizerError `NON_FINITE` naming the tensor. Whatever is thrown, what is finished
 *   stays and the next run goes on from there.
 */
export async function writeShards(
  plan: ShardPlan,
  folder: string,
  options: WriteShardsOptions = {},
): Promise<WrittenShards> {
  const { signal, onProgress, deleteOriginal = false, replace = false, remake } = options;
  const onWait = (): void => {
    new ProgressMeter('wait', { files: plan.files.length, bytes: 0 }, onProgress).addBytes(folder, 0);
  };
  await refuseIfNew(plan, folder, options);
  await using _lock = await FolderLock.acquire(folder, { signal, onWait });
  await removeTemporaryFiles(folder);
  const state = await readRunState(plan, folder, { replace, deleteOriginal, remake });
  const deleter = deleteOriginal ? new OriginalDeleter(plan, folder, { signal, onProgress }) : undefined;
  const manifest = state.manifest ?? (await makeManifest({ plan, folder, state, deleter }, options));
  await Journal.remove(folder);
  await deleter?.deleteAll(manifest.files);
  return { folder, manifest, deleted: deleter?.deleted ?? [], kept: deleter?.kept ?? [] };
}

interface Run {
  readonly plan: ShardPlan;
  readonly folder: string;
  readonly state: RunState;
  readonly deleter: OriginalDeleter | undefined;
}

async function makeManifest(run: Run, options: WriteShardsOptions): Promise<ShardManifest> {
  const { plan, folder, state } = run;
  await checkSpace(state.neededBytes, folder);
  const files = await finishFiles(run, options);
  const sourceFolder = sourceFolderOf(folder, plan);
  await copySmallFiles(plan.smallFiles, sourceFolder, folder);
  await writeIndex(files, folder);
  const manifest = createManifest(plan, files);
  await writeFileDurably(join(folder, MANIFEST_NAME), `${JSON.stringify(manifest)}\n`);
  return manifest;
}

/** Every file of the plan, in its order. */
async function finishFiles(
  { plan, folder, state, deleter }: Run,
  options: WriteShardsOptions,
): Promise<ShardFile[]> {
  const finished = new Map(state.finished.map((file) => [file.name, file]));
  const journal = await Journal.create(folder, { plan, finished: state.finished });
  try {
    const pipeline = new ShardPipeline({
      ...{ plan, folder, state, journal, options },
      onFinished: async (file) => {
        finished.set(file.name, file);
        await deleter?.deleteFinished([...finished.values()]);
      },
    });
    await pipeline.run();
  } catch (error) {
    throw await withMissingBytes(error, { plan, folder, finished });
  } finally {
    await journal.close();
  }
  const inOrder = plan.files.map(({ name }) => finished.get(name)).filter((file) => file !== undefined);
  await recheckSources({ plan, folder, state, deleter });
  return inOrder;
}

/** Originals that were replaced while they were read would make shards of two models. */
async function recheckSources({ plan, folder, state, deleter }: Run): Promise<void> {
  const read = new Set(state.remaining.flatMap(({ tensors }) => tensors.map(({ source }) => source)));
  for (const [index, source] of plan.sources.entries()) {
    if (read.has(index) && !deleter?.hasDeleted(index))
      await checkSourceFile(source, sourceFolderOf(folder, plan));
  }
}

/** A plan for which nothing has been written is refused before its folder is made. */
async function refuseIfNew(
  plan: ShardPlan,
  folder: string,
  { deleteOriginal = false }: WriteShardsOptions,
): Promise<void> {
  if (await isFolder(folder)) return;
  const { neededBytes } = await readRunState(plan, folder, { replace: true, deleteOriginal });
  await checkSpace(neededBytes, folder);
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function checkSpace(neededBytes: number, folder: string): Promise<void> {
  const freeBytes = await freeBytesOf(folder);
  if (freeBytes !== undefined && neededBytes > freeBytes) throw diskFull({ neededBytes, freeBytes, folder });
}

/** A disk that filled up: how much is missing for what is left. */
async function withMissingBytes(
  error: unknown,
  { plan, folder, finished }: { plan: ShardPlan; folder: string; finished: ReadonlyMap<string, ShardFile> },
): Promise<unknown> {
  if (!(error instanceof ShardError) || error.code !== 'DISK_FULL') return error;
  const left = plan.files.filter(({ name }) => !finished.has(name));
  const { peakBytes } = diskNeed(left, { linked: new Set(), deleted: new Map() });
  const freeBytes = (await freeBytesOf(folder)) ?? 0;
  return diskFull({ neededBytes: peakBytes, freeBytes, folder }, error);
}
