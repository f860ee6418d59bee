// The byte ranges that writing files needs, in order: for each file what has to be surveyed, then every tensor. Encoders
// are made as reading reaches their tensor, and are handed on with its ranges.

import { createEncoder, type Encoder, type Kernels } from '@airllm/quantizer';
import { READ_BYTES, type ByteRange } from '../io/read-ahead.js';
import { isSourceDType } from '../plan/choose-format.js';
import type { PlannedFile, PlannedTensor, ShardPlan } from '../plan/plan-schema.js';

export interface TensorRange extends ByteRange {
  readonly file: PlannedFile;
  readonly tensor: PlannedTensor;
  /** Undefined for bytes that are copied as they are. */
  readonly encoder: Encoder | undefined;
  readonly isSurvey: boolean;
  /** Of the tensor, in this pass. */
  readonly isLast: boolean;
  /** Of the tensor. */
  readonly start: number;
}

export interface ReadPlan {
  readonly plan: ShardPlan;
  readonly resolvePath: (source: number) => string;
  readonly kernels: Kernels;
}

export async function* readsOf(
  files: readonly PlannedFile[],
  context: ReadPlan,
): AsyncGenerator<TensorRange> {
  for (const file of files) {
    const surveyed = new Map<string, Encoder>();
    for (const tensor of file.tensors) {
      if (tensor.format !== 'lossless') continue;
      const encoder = await openEncoder(tensor, context);
      surveyed.set(tensor.name, encoder);
      if (encoder.needsSurvey) yield* rangesOf({ file, tensor, encoder, isSurvey: true }, context);
    }
    for (const tensor of file.tensors) {
      const encoder =
        tensor.format === 'none'
          ? undefined
          : (surveyed.get(tensor.name) ?? (await openEncoder(tensor, context)));
      yield* rangesOf({ file, tensor, encoder, isSurvey: false }, context);
    }
  }
}

/** An empty tensor has one empty range, so that every tensor is seen. */
function* rangesOf(
  pass: Pick<TensorRange, 'file' | 'tensor' | 'encoder' | 'isSurvey'>,
  { resolvePath }: ReadPlan,
): Generator<TensorRange> {
  const { tensor, encoder } = pass;
  const { byteOffset, byteLength } = tensor;
  const path = resolvePath(tensor.source);
  const step = chunkBytes(tensor, encoder);
  let start = 0;
  do {
    const length = Math.min(step, byteLength - start);
    const isLast = start + length === byteLength;
    yield { ...pass, path, byteOffset: byteOffset + start, byteLength: length, start, isLast };
    start += length;
  } while (start < byteLength);
}

/** As much as one read takes, in whole chunks of the encoder. */
function chunkBytes({ dtype }: PlannedTensor, encoder: Encoder | undefined): number {
  if (!encoder) return READ_BYTES;
  const unit = encoder.chunkElements * (dtype === 'F32' ? 4 : 2);
  return Math.max(1, Math.floor(READ_BYTES / unit)) * unit;
}

function openEncoder(
  { name, dtype, shape, format }: PlannedTensor,
  { plan, kernels }: ReadPlan,
): Promise<Encoder> {
  if (format === 'none' || !isSourceDType(dtype)) {
    throw new RangeError(`Expected a dtype that can be encoded for ${name} but received ${dtype}`);
  }
  const { doubleQuantization, nonFinite } = plan.options;
  return createEncoder({
    name,
    dtype,
    shape,
    format,
    kernels,
    nonFinite,
    ...(format === '4bit' && { doubleQuantization }),
  });
}
