// A submission as flat numbers, the form in which it crosses to native code in one call. This file is the one
// description of the layout; native/program.cc reads it back and checks everything again.
//
//   submission  arena, kvCache | 0, batch, command*
//   batch       rows, sequences, (rowStart, rowCount, past, blockCount, block*)*
//   command     opcode, operands in the order of the encoders below
//   tensor      offset, rows, cols, rowStride          (float32 elements of the arena)
//   weight      memory, byteOffset, dtype, rows, cols

import {
  BackendError,
  KV_BLOCK_TOKENS,
  type Activation,
  type AttentionCommand,
  type BatchLayout,
  type Command,
  type DType,
  type KvCacheShape,
  type Tensor,
  type WeightMemory,
  type WeightSlice,
} from '@airllm/backend';

const DTYPE = { f32: 0, f16: 1, bf16: 2 } satisfies Record<DType, number>;
const ACTIVATION = { silu: 0, gelu: 1, 'gelu-tanh': 2 } satisfies Record<Activation, number>;

/** What the encoder must know of a submission: memory by number. */
export interface EncodableSubmission {
  readonly commands: readonly Command<WeightSlice>[];
  readonly arena: number;
  readonly kvCache: { readonly memory: number; readonly shape: KvCacheShape } | undefined;
  readonly batch: BatchLayout | undefined;
  /** The number of a weight's memory. Throws for memory of another backend. */
  readonly memoryOf: (memory: WeightMemory) => number;
}

/** @throws BackendError `INVALID_OPERAND` when an attention command lacks its cache or batch. */
export function encodeSubmission(submission: EncodableSubmission): Float64Array {
  const words: number[] = [submission.arena, submission.kvCache?.memory ?? 0];
  encodeBatch(words, submission.batch);
  for (const command of submission.commands) encodeCommand(words, command, submission);
  return new Float64Array(words);
}

/**
 * The four words of a tensor.
 *
 * @throws BackendError `INVALID_OPERAND` for a tensor of an unfinished program.
 */
export function tensorWords(tensor: Tensor): [number, number, number, number] {
  if (tensor.storage.offset < 0) throw invalid('Expected a tensor of a finished program');
  return [tensor.offset, tensor.rows, tensor.cols, tensor.rowStride];
}

function encodeBatch(words: number[], batch: BatchLayout | undefined): void {
  words.push(batch?.rows ?? 0, batch?.sequences.length ?? 0);
  for (const { rowStart, rowCount, past, blocks } of batch?.sequences ?? []) {
    words.push(rowStart, rowCount, past, blocks.length);
    for (const block of blocks) words.push(block);
  }
}

function encodeCommand(
  words: number[],
  command: Command<WeightSlice>,
  { memoryOf, kvCache, batch }: EncodableSubmission,
): void {
  const tensor = (operand: Tensor): void => void words.push(...tensorWords(operand));
  const weight = ({ memory, byteOffset, dtype, rows, cols }: WeightSlice): void => {
    words.push(memoryOf(memory), byteOffset, DTYPE[dtype], rows, cols);
  };
  const values = (list: Iterable<number>): void => {
    for (const value of list) words.push(value);
  };

  switch (command.op) {
    case 'embedding':
      words.push(1);
      weight(command.table);
      tensor(command.out);
      return perRow(command.ids, command.out.rows, values);
    case 'rmsNorm':
      words.push(2);
      tensor(command.x);
      weight(command.weight);
      words.push(command.eps);
      return tensor(command.out);
    case 'linear':
      words.push(3);
      tensor(command.x);
      weight(command.weight);
      words.push(command.bias ? 1 : 0);
      if (command.bias) weight(command.bias);
      return tensor(command.out);
    case 'rope':
      words.push(4);
      [command.x, command.cos, command.sin].forEach(tensor);
      words.push(command.headDim, command.rotaryDim, command.style === 'interleaved' ? 1 : 0);
      return;
    case 'attention':
      if (!kvCache || !batch) throw invalid('Expected a kvCache and a batch for attention');
      words.push(5, ...kvLayerOffsets(kvCache.shape, command));
      [command.q, command.k, command.v, command.out].forEach(tensor);
      words.push(command.heads, command.kvHeads, command.headDim, command.scale, command.window ?? 0);
      return;
    case 'glu':
      words.push(6);
      tensor(command.gate);
      tensor(command.up);
      words.push(ACTIVATION[command.activation]);
      return tensor(command.out);
    case 'accumulate':
      words.push(7);
      tensor(command.x);
      return tensor(command.y);
    case 'fill':
      words.push(8);
      tensor(command.x);
      words.push(command.value);
      return;
    case 'gatherRows':
      words.push(9);
      tensor(command.x);
      tensor(command.out);
      return perRow(command.indices, command.out.rows, values);
    case 'scatterAddRows':
      words.push(10);
      tensor(command.x);
      tensor(command.out);
      perRow(command.indices, command.x.rows, values);
      return perRow(command.scales, command.x.rows, values);
  }
}

/** First elements of the layer's keys and values in the cache's memory, and the cache's blocks. */
function kvLayerOffsets(shape: KvCacheShape, command: AttentionCommand): [number, number, number] {
  const layer = shape.layers[command.layer];
  if (!layer || layer.kvHeads !== command.kvHeads || layer.headDim !== command.headDim) {
    const found = layer ? `${layer.kvHeads} × ${layer.headDim}` : `${shape.layers.length} layers`;
    throw invalid(
      `Expected ${command.kvHeads} key heads × ${command.headDim} in layer ${command.layer} of the KV cache but found ${found}`,
    );
  }
  const elements = ({ kvHeads, headDim }: { kvHeads: number; headDim: number }): number =>
    kvHeads * headDim * KV_BLOCK_TOKENS * shape.blocks;
  const before = shape.layers.slice(0, command.layer).reduce((sum, each) => sum + 2 * elements(each), 0);
  return [before, before + elements(layer), shape.blocks];
}

function perRow(
  list: Uint32Array | Float32Array,
  rows: number,
  encode: (list: Iterable<number>) => void,
): void {
  if (list.length !== rows)
    throw invalid(`Expected one value for each of ${rows} rows but received ${list.length}`);
  encode(list);
}

function invalid(message: string): BackendError {
  return new BackendError('INVALID_OPERAND', message);
}
