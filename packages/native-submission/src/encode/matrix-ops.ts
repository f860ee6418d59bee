// Operands of the ops with weights, in the order of native/decode/matrix_ops.cc.

import type {
  EmbeddingCommand,
  LayerNormCommand,
  LinearCommand,
  LinearTransposedCommand,
  RmsNormCommand,
  WeightSlice,
} from '@airllm/backend';
import type { Words } from './words.js';

export function encodeEmbedding(words: Words, { table, out, ids }: EmbeddingCommand<WeightSlice>): void {
  words.weight(table);
  words.tensors(out);
  words.each(ids, out.rows);
}

export function encodeRmsNorm(words: Words, command: RmsNormCommand<WeightSlice>): void {
  words.tensors(command.x);
  words.optionalWeight(command.weight);
  words.numbers(command.groupWidth, command.weightOffset, command.eps);
  words.tensors(command.out);
}

export function encodeLayerNorm(words: Words, command: LayerNormCommand<WeightSlice>): void {
  words.tensors(command.x);
  words.optionalWeight(command.weight);
  words.optionalWeight(command.bias);
  words.numbers(command.groupWidth, command.eps);
  words.tensors(command.out);
}

export function encodeLinear(words: Words, command: LinearCommand<WeightSlice>): void {
  words.tensors(command.x);
  words.weight(command.weight);
  words.optionalWeight(command.bias);
  words.flag(command.normalizeRows);
  words.tensors(command.out);
}

export function encodeLinearTransposed(words: Words, command: LinearTransposedCommand<WeightSlice>): void {
  words.tensors(command.x);
  words.weight(command.weight);
  words.optionalWeight(command.bias);
  words.flag(command.accumulate);
  words.tensors(command.out);
}
