// The checkpoint that benchmarks run: random weights, written once under .cache/bench and used again.

import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PRESETS, writeSyntheticCheckpoint } from '@airllm/synthetic-checkpoint';
import { readHeader } from 'safetensors-js';
import { progress } from './progress.js';

const CACHE = fileURLToPath(new URL('../../.cache/bench/', import.meta.url));
const EMBEDDING = 'model.embed_tokens.weight';
const HEAD = 'lm_head.weight';

/** Where checkpoints lie; made if need be. */
export async function benchFolder() {
  await mkdir(CACHE, { recursive: true });
  return CACHE;
}

/** Opens the checkpoint of a preset; see {@link openShape}. */
export async function openBenchCheckpoint(preset) {
  if (!Object.hasOwn(PRESETS, preset)) {
    throw new RangeError(`Expected a preset among ${Object.keys(PRESETS).join(', ')} but received ${preset}`);
  }
  return openShape(preset, PRESETS[preset]);
}

/**
 * Opens the checkpoint of a shape, in bf16, and writes it before if need be.
 *
 * Returns its folder, the paths of its weight files, `weightBytes` of all tensors, and `tokenBytes`: what one token
 * reads. That is every matrix and norm, but one row of the embedding table, which is left out; with a tied head the
 * table is the output projection and counts. `promptBytes` are those that every token of a prompt is multiplied by: the
 * head sees the last one only.
 */
export async function openShape(name, shape) {
  const folder = join(await benchFolder(), `${name}-bf16`);
  if (!existsSync(join(folder, 'config.json'))) {
    progress(`writing ${folder}`);
    await rm(folder, { recursive: true, force: true });
    await writeSyntheticCheckpoint(folder, { ...shape, dtype: 'bf16', seed: 1 });
  }
  return describeFolder(folder);
}

/** The same of any folder of safetensors files, shards included. */
export async function describeFolder(folder) {
  const files = (await readdir(folder))
    .filter((name) => name.endsWith('.safetensors'))
    .sort()
    .map((name) => join(folder, name));
  const headers = await Promise.all(files.map((file) => readHeader(file)));
  const byteLengths = new Map(
    headers.flatMap(({ tensors }) => [...tensors.values()].map(({ name, byteLength }) => [name, byteLength])),
  );
  const weightBytes = [...byteLengths.values()].reduce((sum, bytes) => sum + bytes, 0);
  const unread = byteLengths.has(HEAD) ? byteLengths.get(EMBEDDING) : 0;
  const head = byteLengths.get(HEAD) ?? byteLengths.get(EMBEDDING);
  const tokenBytes = weightBytes - unread;
  return { folder, files, weightBytes, tokenBytes, promptBytes: tokenBytes - head };
}
