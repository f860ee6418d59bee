// One file of shards: header, then every tensor as it is or encoded, from ranges that were read ahead. It is complete
// under its temporary name when this returns; giving it its own is left to the caller.

import { rm } from 'node:fs/promises';
import type { Encoder, ErrorFigures, PlaneChunk } from '@airllm/quantizer';
import { toWriteError } from '../errors.js';
import type { AlignedPool } from '../io/aligned-pool.js';
import { BlockWriter } from '../io/block-writer.js';
import { DirectFile } from '../io/direct-file.js';
import type { ReadQueue } from '../io/read-queue.js';
import type { ShardFile, ShardTensor } from '../manifest.js';
import type { PlannedFile } from '../plan/plan-schema.js';
import { layOutShard } from './shard-layout.js';
import type { TensorRange } from './tensor-reads.js';

export interface ShardJob {
  readonly file: PlannedFile;
  readonly temporaryPath: string;
  readonly doubleQuantization: boolean;
  readonly pool: AlignedPool;
  /** What `readsOf` asks for, from the first range of this file on. */
  readonly reads: ReadQueue<TensorRange>;
}

/** A file whose bytes were all given; the last of them may be on their way. */
export interface WrittenShard {
  /** Waits for the disk. Resolves to the entry of the manifest. */
  finish(): Promise<ShardFile>;
  /** Instead of `finish`: leaves nothing behind. */
  abandon(): Promise<void>;
}

/**
 * Writes `job.file`. Nothing of it is left behind on an error.
 *
 * @throws ShardError `DISK_FULL`, `TARGET_READ_ONLY`, `WRITE_FAILED` and those of reading; QuantizerError
 */
export async function writeShard(job: ShardJob): Promise<WrittenShard> {
  const { file, temporaryPath } = job;
  const surveyed = await surveyTensors(job);
  const { header, fileBytes, offsets } = layOutShard(file.tensors, surveyed, job.doubleQuantization);
  const target = await createTarget(temporaryPath);
  const blocks = new BlockWriter(target, fileBytes, job.pool);
  const abandon = async (): Promise<void> => {
    await blocks.abandon();
    await target.close();
    await rm(temporaryPath, { force: true });
  };
  const guarded = async <T>(action: () => Promise<T>): Promise<T> => {
    try {
      return await action();
    } catch (cause) {
      await abandon().catch(() => undefined);
      throw toWriteError(cause, temporaryPath);
    }
  };
  return guarded(async () => {
    await blocks.write(0, header);
    const tensors: ShardTensor[] = [];
    for (const tensor of file.tensors) {
      const errors = await writeTensor(job, blocks, offsets.get(tensor.name) ?? []);
      tensors.push(errors ? { ...tensor, errors } : tensor);
    }
    const { name, key } = file;
    return {
      abandon,
      finish: () =>
        guarded(async () => {
          const checksum = await blocks.finish();
          await target.close();
          return { name, key, bytes: fileBytes, checksum, tensors };
        }),
    };
  });
}

async function createTarget(path: string): Promise<DirectFile> {
  try {
    return await DirectFile.create(path);
  } catch (cause) {
    throw toWriteError(cause, path);
  }
}

/** Takes the ranges that come before any is written: one pass over each tensor whose planes follow from its values. */
async function surveyTensors({ reads }: ShardJob): Promise<ReadonlyMap<string, Encoder>> {
  const surveyed = new Map<string, Encoder>();
  while ((await reads.peek()).request.isSurvey) {
    const { request, bytes } = await reads.take();
    const { encoder, tensor } = request;
    if (!encoder) continue;
    await encoder.survey(bytes);
    surveyed.set(tensor.name, encoder);
  }
  return surveyed;
}

/** Takes the ranges of one tensor. Returns its errors where a lossy format made them. */
async function writeTensor(
  { reads }: ShardJob,
  blocks: BlockWriter,
  offsets: readonly number[],
): Promise<ErrorFigures | undefined> {
  const put = async (parts: readonly PlaneChunk[]): Promise<void> => {
    for (const { plane, byteOffset, bytes } of parts)
      await blocks.write((offsets[plane] ?? 0) + byteOffset, bytes);
  };
  for (;;) {
    const { request, bytes } = await reads.take();
    const { encoder, tensor, start, isLast } = request;
    if (encoder) await put(await encoder.encode(bytes));
    else await put([{ plane: 0, byteOffset: start, bytes }]);
    if (!isLast) continue;
    if (encoder) await put(await encoder.finish());
    return encoder && tensor.format !== 'lossless' ? encoder.errors : undefined;
  }
}
