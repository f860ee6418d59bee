// A submission as flat numbers, the form in which it crosses to native code in one call. This file and encode/ are the
// one description of the layout; native/program.cc and native/decode/ read it back and check everything again.
//
//   submission  arena, cache, batch, command*
//   cache       0, or memory, blocks, slots, layers, layer*
//   layer       1, kvHeads, headDim, keysOnly, or 2, convChannels, convWidth, heads, keyDim, valueDim
//   batch       rows, sequences, (rowStart, rowCount, past, slot, blockCount, block*)*
//   command     opcode, operands in the order of the encoders
//   tensor      offset, rows, cols, rowStride          (float32 elements of the arena)
//   weight      memory, byteOffset, dtype, rows, cols, 0, or 1 and scales
//   scales      memory, byteOffset, cols, blockRows, blockCols, firstRow
//   optional    0, or 1 and what it is

import type { BatchLayout, Command, KvCacheShape, WeightMemory, WeightSlice } from '@airllm/backend';
import { encodeCommand } from './encode/encode-command.js';
import { Words } from './encode/words.js';

/** What the encoder must know of a submission: memory by number. */
export interface EncodableSubmission {
  readonly commands: readonly Command<WeightSlice>[];
  readonly arena: number;
  readonly kvCache: { readonly memory: number; readonly shape: KvCacheShape } | undefined;
  readonly batch: BatchLayout | undefined;
  /** The number of a weight's memory. Throws for memory of another backend. */
  readonly memoryOf: (memory: WeightMemory) => number;
}

/** @throws BackendError `INVALID_OPERAND` for tensors without a place, and values that are not one per row. */
export function encodeSubmission({
  commands,
  arena,
  kvCache,
  batch,
  memoryOf,
}: EncodableSubmission): Float64Array {
  const words = new Words(memoryOf);
  words.numbers(arena, kvCache?.memory ?? 0);
  if (kvCache) encodeCache(words, kvCache.shape);
  encodeBatch(words, batch);
  for (const command of commands) encodeCommand(words, command);
  return words.finish();
}

function encodeCache(words: Words, { blocks, slots, layers }: KvCacheShape): void {
  words.numbers(blocks, slots, layers.length);
  for (const layer of layers) {
    switch (layer.kind) {
      case 'attention':
        words.numbers(1, layer.kvHeads, layer.headDim);
        words.flag(layer.keysOnly);
        break;
      case 'recurrent':
        words.numbers(2, layer.convChannels, layer.convWidth, layer.heads, layer.keyDim, layer.valueDim);
    }
  }
}

function encodeBatch(words: Words, batch: BatchLayout | undefined): void {
  words.numbers(batch?.rows ?? 0, batch?.sequences.length ?? 0);
  for (const { rowStart, rowCount, past, slot, blocks } of batch?.sequences ?? []) {
    words.numbers(rowStart, rowCount, past, slot, blocks.length);
    words.list(blocks);
  }
}
