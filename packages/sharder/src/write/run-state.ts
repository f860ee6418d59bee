// Where a run begins: what of its plan is finished already, what only needs a second name, and whether the folder and the
// originals are what the plan thinks they are.

import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ShardError, systemCode, toWriteError } from '../errors.js';
import { readManifest, type ShardFile, type ShardManifest } from '../manifest.js';
import { diskNeed } from '../plan/disk-space.js';
import type { PlannedFile, ShardPlan } from '../plan/plan-schema.js';
import { checkSourceFile, sourceExists } from '../plan/source-files.js';
import { sourceFolderOf, sourcePathOf } from '../plan/source-paths.js';
import { isTemporaryName } from './durable-file.js';
import { readJournal } from './journal.js';
import { findWholeSource, isSameDevice } from './link-shard.js';

export interface RunState {
  /** Set when the folder is complete for the plan. */
  readonly manifest: ShardManifest | undefined;
  /** Files of the plan that are on the disk. */
  readonly finished: readonly ShardFile[];
  readonly remaining: readonly PlannedFile[];
  /** Of the remaining: file name to the source that is the file. */
  readonly linkable: ReadonlyMap<string, string>;
  /** Most bytes that have to be free for the remaining. */
  readonly neededBytes: number;
}

export interface RunStateOptions {
  readonly replace: boolean;
  readonly deleteOriginal: boolean;
  /** Files to make again although they are there. */
  readonly remake?: ReadonlySet<string> | undefined;
}

/**
 * Call it under the lock of `folder`.
 *
 * @throws ShardError `TARGET_OCCUPIED`, `SOURCE_CHANGED`, `SOURCE_MISSING`, `INVALID_MANIFEST`, `READ_FAILED`
 */
export async function readRunState(
  plan: ShardPlan,
  folder: string,
  { replace, deleteOriginal, remake }: RunStateOptions,
): Promise<RunState> {
  const manifest = await readManifest(folder);
  const journal = await readJournal(folder);
  const known = manifest ?? journal?.plan;
  if (known) checkSameModel(known.model, plan, { folder, replace });
  else await checkUnused(folder);
  const entries = new Map(
    [...(manifest?.files ?? []), ...(journal?.finished ?? [])].map((file) => [file.key, file]),
  );
  const finished: ShardFile[] = [];
  const remaining: PlannedFile[] = [];
  for (const file of plan.files) {
    const entry = entries.get(file.key);
    const isThere =
      entry?.name === file.name &&
      remake?.has(file.name) !== true &&
      (await sizeOf(join(folder, file.name))) === entry.bytes;
    if (isThere) finished.push(entry);
    else remaining.push(file);
  }
  if (manifest && !replace) checkNothingChanged(manifest, remaining, folder);
  if (manifest) await checkRepairable(plan, remaining, folder);
  await checkSources(plan, remaining, folder);
  const linkable = await findLinkable(plan, remaining, folder);
  const deleted = new Map(deleteOriginal ? plan.sources.map(({ bytes }, index) => [index, bytes]) : []);
  const need = diskNeed(remaining, { linked: new Set(await freeLinks(linkable, folder)), deleted });
  return {
    manifest: remaining.length === 0 ? manifest : undefined,
    finished,
    remaining,
    linkable,
    neededBytes: need.peakBytes,
  };
}

/** What an interrupted run was writing. */
export async function removeTemporaryFiles(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (isTemporaryName(name)) await rm(join(folder, name), { force: true });
}

function checkSameModel(
  known: ShardPlan['model'],
  { model }: ShardPlan,
  { folder, replace }: { folder: string; replace: boolean },
): void {
  if (isDeepStrictEqual(known, model)) return;
  const fields = { folder, found: known, expected: model };
  if (known.name !== model.name || known.revision !== model.revision) {
    throw new ShardError(
      'TARGET_OCCUPIED',
      `Expected ${folder} to be free, or to hold shards of ${describe(model)}, but it holds those of ${describe(known)}. ` +
        'Choose another folder.',
      { fields },
    );
  }
  if (replace) return;
  throw new ShardError(
    'SOURCE_CHANGED',
    `config.json of ${model.name} is not what it was when the shards in ${folder} were made. ` +
      'Remove them, or shard with replace, to make them again.',
    { fields },
  );
}

function describe({ name, revision }: ShardPlan['model']): string {
  return revision === null ? name : `${name} at ${revision}`;
}

/** Shards without a manifest or journal were made by something else, which may still need them. */
async function checkUnused(folder: string): Promise<void> {
  const names = await readdir(folder).catch((cause: unknown) => {
    if (systemCode(cause) === 'ENOENT') return [];
    throw toWriteError(cause, folder);
  });
  const found = names.find((name) => name.endsWith('.safetensors'));
  if (found === undefined) return;
  throw new ShardError(
    'TARGET_OCCUPIED',
    `Expected ${folder} to be free but it holds ${found}, which was made by something else. Choose another folder, or remove it.`,
    { fields: { folder, found } },
  );
}

function checkNothingChanged(
  manifest: ShardManifest,
  remaining: readonly PlannedFile[],
  folder: string,
): void {
  const changed = remaining.filter(({ name, key }) =>
    manifest.files.some((file) => file.name === name && file.key !== key),
  );
  const [first] = changed;
  if (!first) return;
  throw new ShardError(
    'SOURCE_CHANGED',
    `${first.name} in ${folder} was made from originals that have changed since, or with other options. ` +
      'Remove the shards, or shard with replace, to make them again.',
    { fields: { folder, files: changed.map(({ name }) => name) } },
  );
}

/** Shards that were finished once and are damaged now need their originals. */
async function checkRepairable(
  plan: ShardPlan,
  remaining: readonly PlannedFile[],
  folder: string,
): Promise<void> {
  const sourceFolder = sourceFolderOf(folder, plan);
  const lost: string[] = [];
  for (const { name, tensors } of remaining) {
    const paths = new Set(tensors.map(({ source }) => plan.sources[source]?.path ?? ''));
    const present = await Promise.all(Array.from(paths, (path) => sourceExists(path, sourceFolder)));
    if (present.includes(false)) lost.push(name);
  }
  if (lost.length === 0) return;
  throw new ShardError(
    'CORRUPT_SHARD',
    `Expected ${lost.join(', ')} in ${folder} to be whole, but ${lost.length === 1 ? 'it is' : 'they are'} missing or cut ` +
      'and the originals are gone. Download the model again.',
    { fields: { folder, files: lost } },
  );
}

async function checkSources(
  plan: ShardPlan,
  remaining: readonly PlannedFile[],
  folder: string,
): Promise<void> {
  const needed = new Set(remaining.flatMap(({ tensors }) => tensors.map(({ source }) => source)));
  for (const [index, source] of plan.sources.entries()) {
    if (needed.has(index)) await checkSourceFile(source, sourceFolderOf(folder, plan));
  }
}

async function findLinkable(
  plan: ShardPlan,
  remaining: readonly PlannedFile[],
  folder: string,
): Promise<ReadonlyMap<string, string>> {
  const linkable = new Map<string, string>();
  for (const file of remaining) {
    const index = file.tensors[0]?.source ?? 0;
    const source = await findWholeSource(file, {
      path: sourcePathOf(folder, plan, index),
      bytes: plan.sources[index]?.bytes ?? 0,
    });
    if (source !== undefined) linkable.set(file.name, source);
  }
  return linkable;
}

async function freeLinks(linkable: ReadonlyMap<string, string>, folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const [name, source] of linkable) if (await isSameDevice(source, folder)) names.push(name);
  return names;
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    (found) => (found.isFile() ? found.size : undefined),
    () => undefined,
  );
}
