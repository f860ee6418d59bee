// What a plan says, in the form in which a journal and a manifest keep it. They are read back from disk, so everything is
// checked: types, names that stay in their folder, counts that are counts.

import { z } from 'zod';
import { isPlainFileName } from './plain-file-name.js';

const count = z.int().nonnegative();
const text = z.string().min(1);

export const sourceFileSchema = z.strictObject({
  /** Relative to the folder of the source where it lies inside. */
  path: text,
  bytes: count,
  modifiedMs: z.number(),
  /** Hash of both ends. */
  ends: text,
});

export const plannedTensorSchema = z.strictObject({
  name: text,
  /** Of the source. */
  dtype: text,
  shape: z.array(count),
  /** Index of the source file. */
  source: count,
  byteOffset: count,
  byteLength: count,
  /** `none`: the bytes as they are. */
  format: z.enum(['none', '4bit', '8bit', 'int8', 'int4', 'lossless']),
});

export const plannedFileSchema = z.strictObject({
  name: z.string().refine(isPlainFileName),
  tensors: z.array(plannedTensorSchema),
  /** Of the finished file; of `lossless` ones a bound that is rarely reached. */
  expectedBytes: count,
  /** Hash of everything that the file follows from: a finished file is reused only for the same. */
  key: text,
});

export const shardOptionsSchema = z.strictObject({
  format: z.enum(['none', '4bit', '8bit', 'int8', 'int4', 'lossless']),
  doubleQuantization: z.boolean(),
  quantize: z.array(z.enum(['embedding', 'head', 'routers'])),
  layout: z.enum(['native', 'airllm']),
  nonFinite: z.enum(['refuse', 'keep']),
});

export const modelIdentitySchema = z.strictObject({
  name: z.string(),
  revision: z.string().nullable(),
  configHash: text,
});

export const shardPlanSchema = z.strictObject({
  model: modelIdentitySchema,
  options: shardOptionsSchema,
  /** Folder of the source, relative to that of the shards where one lies in the other. */
  sourceFolder: z.string(),
  sources: z.array(sourceFileSchema),
  files: z.array(plannedFileSchema),
  /** Small files that come along: config, tokenizer, chat template. */
  smallFiles: z.array(z.string().refine(isPlainFileName)),
});

export type SourceFile = z.infer<typeof sourceFileSchema>;
export type PlannedTensor = z.infer<typeof plannedTensorSchema>;
export type PlannedFile = z.infer<typeof plannedFileSchema>;
/** Layers to files, files to tensors, tensors to the bytes they are made from. */
export type ShardPlan = z.infer<typeof shardPlanSchema>;
