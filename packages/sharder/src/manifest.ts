// The manifest: what a folder of shards holds and what it was made from. It is written last, so a folder that has one is
// complete.

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { reasonOf, ShardError, systemCode } from './errors.js';
import { CHECKSUM_METHOD } from './io/checksum.js';
import {
  plannedFileSchema,
  plannedTensorSchema,
  shardPlanSchema,
  type ShardPlan,
} from './plan/plan-schema.js';

export const MANIFEST_NAME = 'airllm-manifest.json';

/** 300 bytes a tensor: 30 MB for the largest mixtures published. */
export const MAX_MANIFEST_BYTES = 512 * 2 ** 20;

const VERSION = 1;

const errorFiguresSchema = z.strictObject({
  relativeRms: z.number(),
  maxAbs: z.number(),
  cosine: z.number(),
});

export const shardTensorSchema = plannedTensorSchema.extend({
  /** Against the source, of tensors that a lossy format changed. */
  errors: errorFiguresSchema.optional(),
});

export const shardFileSchema = plannedFileSchema.omit({ tensors: true, expectedBytes: true }).extend({
  bytes: z.int().nonnegative(),
  /** See `io/checksum.ts`. */
  checksum: z.string().min(1),
  tensors: z.array(shardTensorSchema),
});

export const manifestSchema = shardPlanSchema.omit({ files: true }).extend({
  version: z.literal(VERSION),
  checksumMethod: z.literal(CHECKSUM_METHOD),
  files: z.array(shardFileSchema),
});

/** A tensor of a shard, with where it came from. */
export type ShardTensor = z.infer<typeof shardTensorSchema>;
/** A finished file. */
export type ShardFile = z.infer<typeof shardFileSchema>;
export type ShardManifest = z.infer<typeof manifestSchema>;

/** In one order of keys, so that the same shards have the same manifest, byte for byte. */
export function createManifest(plan: ShardPlan, files: readonly ShardFile[]): ShardManifest {
  const { model, options, sourceFolder, sources, smallFiles } = plan;
  return {
    version: VERSION,
    checksumMethod: CHECKSUM_METHOD,
    ...{ model, options, sourceFolder, sources, smallFiles },
    files: [...files],
  };
}

/** The plan that finished shards were made by. */
export function planOf({
  version: _version,
  checksumMethod: _method,
  files,
  ...rest
}: ShardManifest): ShardPlan {
  return {
    ...rest,
    files: files.map(({ name, key, bytes, tensors }) => ({
      name,
      key,
      expectedBytes: bytes,
      tensors: tensors.map(({ errors: _errors, ...tensor }) => tensor),
    })),
  };
}

/**
 * The manifest of a folder; undefined when it has none, so that its shards are not complete.
 *
 * @throws ShardError `INVALID_MANIFEST`, `READ_FAILED`
 */
export async function readManifest(folder: string): Promise<ShardManifest | undefined> {
  const path = join(folder, MANIFEST_NAME);
  const text = await readBounded(path);
  return text === undefined ? undefined : parseStored(manifestSchema, text, path);
}

/** The text of a file of ours, or undefined when there is none. */
export async function readBounded(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size <= MAX_MANIFEST_BYTES) return await readFile(path, 'utf8');
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT' || systemCode(cause) === 'ENOTDIR') return undefined;
    throw new ShardError('READ_FAILED', `Could not read ${path}: ${reasonOf(cause)}.`, {
      fields: { path },
      cause,
    });
  }
  throw new ShardError('INVALID_MANIFEST', `Expected ${path} to have at most ${MAX_MANIFEST_BYTES} bytes.`, {
    fields: { path },
  });
}

/** JSON of ours, checked. @throws ShardError `INVALID_MANIFEST` */
export function parseStored<T>(schema: z.ZodType<T>, text: string, path: string): T {
  let cause: unknown;
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    cause = parsed.error;
  } catch (error) {
    cause = error;
  }
  throw new ShardError(
    'INVALID_MANIFEST',
    `Expected ${path} to be what this version of airllm writes, but it is damaged or of another version. ` +
      'Remove the folder to make its shards again.',
    { fields: { path }, cause },
  );
}
