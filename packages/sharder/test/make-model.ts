// Small checkpoints of random weights, and their layers, for tests.

import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint, type Checkpoint } from '@airllm/checkpoint';
import { listWeights, resolveModel } from '@airllm/model-zoo';
import { writeSyntheticCheckpoint, type SyntheticCheckpointOptions } from '@airllm/synthetic-checkpoint';
import { shardCheckpoint, type ShardCheckpointOptions, type WrittenShards } from '../src/index.js';

const TINY = {
  hiddenSize: 64,
  layers: 3,
  heads: 4,
  kvHeads: 2,
  intermediateSize: 96,
  vocabSize: 128,
  dtype: 'bf16',
  seed: 1,
} as const;

const created: string[] = [];
afterAll(async () => {
  for (const folder of created.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** A folder that is removed after the tests of a file. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'airllm-sharder-'));
  created.push(folder);
  return folder;
}

/** A checkpoint of three layers; `shardBytes` makes several files. */
export async function makeModel(options: Partial<SyntheticCheckpointOptions> = {}): Promise<string> {
  const folder = join(await temporaryFolder(), 'model');
  await writeSyntheticCheckpoint(folder, { ...TINY, ...options });
  return folder;
}

export async function openModel(
  folder: string,
): Promise<Pick<ShardCheckpointOptions, 'weights'> & { checkpoint: Checkpoint }> {
  const checkpoint = await openCheckpoint(folder);
  return { checkpoint, weights: listWeights(resolveModel(checkpoint.config)) };
}

export async function shardModel(
  folder: string,
  options: Omit<ShardCheckpointOptions, 'checkpoint' | 'weights'> = {},
): Promise<WrittenShards> {
  return shardCheckpoint({ ...(await openModel(folder)), ...options });
}

/** Bytes of every tensor by name. */
export async function readTensorBytes({ tensors }: Checkpoint): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const bytes = new Map<string, Buffer>();
  for (const { name, path, byteOffset, byteLength } of tensors.values()) {
    const file = files.get(path) ?? (await readFile(path));
    files.set(path, file);
    bytes.set(name, file.subarray(byteOffset, byteOffset + byteLength));
  }
  return bytes;
}

/** SHA-256 of every tensor by name: large buffers are slow to compare in a test. */
export async function hashTensors(checkpoint: Checkpoint): Promise<Record<string, string>> {
  const bytes = await readTensorBytes(checkpoint);
  return Object.fromEntries(
    Array.from(bytes, ([name, value]) => [name, createHash('sha256').update(value).digest('hex')]),
  );
}

/** SHA-256 of every file of a folder; locks are left out. */
export async function hashFolder(folder: string): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const name of (await readdir(folder)).sort()) {
    if (name.startsWith('.airllm-lock.')) continue;
    hashes[name] = createHash('sha256')
      .update(await readFile(join(folder, name)))
      .digest('hex');
  }
  return hashes;
}

/** The error a promise rejects with, as a plain object; fails the test when it resolves. */
export async function errorOf(
  promise: Promise<unknown>,
): Promise<{ code: unknown; message: string; fields: Record<string, unknown> }> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason as { code: unknown; message: string; fields: Record<string, unknown> },
  );
  if (error === undefined) throw new Error('expected a rejection');
  return error;
}
