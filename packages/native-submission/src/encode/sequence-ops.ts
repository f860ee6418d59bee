// Operands of the ops that know positions or remember their sequences, in the order of native/decode/sequence_ops.cc.

import type {
  AttentionCommand,
  GatedDeltaCommand,
  LatentAttentionCommand,
  RopeCommand,
  ShortConvCommand,
  WeightSlice,
} from '@airllm/backend';
import type { Words } from './words.js';

export function encodeRope(words: Words, command: RopeCommand): void {
  words.tensors(command.x);
  words.numbers(command.headDim, command.rotaryStart, command.rotaryDim);
  words.flag(command.style === 'interleaved');
  words.tensors(command.cos, command.sin);
}

/** No window, chunk or cap is Infinity. */
export function encodeAttention(words: Words, command: AttentionCommand<WeightSlice>): void {
  const { window = Infinity, chunk = Infinity, softcap = Infinity, alibiSlopes } = command;
  words.numbers(command.layer, command.heads, command.kvHeads, command.headDim, command.scale);
  words.numbers(window, chunk, softcap);
  words.optionalWeight(command.sinks);
  words.flag(alibiSlopes !== undefined);
  if (alibiSlopes) words.each(alibiSlopes, command.heads);
  words.tensors(command.q, command.k, command.v, command.out);
}

export function encodeLatentAttention(words: Words, command: LatentAttentionCommand<WeightSlice>): void {
  const { layer, heads, rank, nopeDim, ropeDim, valueDim, scale } = command;
  words.numbers(layer, heads, rank, nopeDim, ropeDim, valueDim, scale);
  words.weight(command.kvB);
  words.tensors(command.q, command.latent, command.out);
}

export function encodeShortConv(words: Words, command: ShortConvCommand<WeightSlice>): void {
  words.numbers(command.layer);
  words.tensors(command.x);
  words.weight(command.weight);
  words.optionalWeight(command.bias);
  words.tensors(command.out);
}

export function encodeGatedDelta(words: Words, command: GatedDeltaCommand<WeightSlice>): void {
  const { q, k, v, a, b, out } = command;
  words.numbers(command.layer, command.keyHeads, command.valueHeads, command.keyDim, command.valueDim);
  words.weight(command.aLog);
  words.weight(command.dtBias);
  words.tensors(q, k, v, a, b, out);
}
