// One command as its opcode and operands. Ops with more than a line of operands have encoders of their own.

import type { Command, WeightSlice } from '@airllm/backend';
import {
  encodeEmbedding,
  encodeLayerNorm,
  encodeLinear,
  encodeLinearTransposed,
  encodeRmsNorm,
} from './matrix-ops.js';
import { ACTIVATION, OPCODE } from './opcodes.js';
import {
  encodeAttention,
  encodeGatedDelta,
  encodeLatentAttention,
  encodeRope,
  encodeShortConv,
} from './sequence-ops.js';
import type { Words } from './words.js';

export function encodeCommand(words: Words, command: Command<WeightSlice>): void {
  // A command of another contract has no number, which native code refuses.
  words.numbers(OPCODE[command.op]);
  switch (command.op) {
    case 'embedding':
      return encodeEmbedding(words, command);
    case 'rmsNorm':
      return encodeRmsNorm(words, command);
    case 'layerNorm':
      return encodeLayerNorm(words, command);
    case 'linear':
      return encodeLinear(words, command);
    case 'linearTransposed':
      return encodeLinearTransposed(words, command);
    case 'rope':
      return encodeRope(words, command);
    case 'attention':
      return encodeAttention(words, command);
    case 'latentAttention':
      return encodeLatentAttention(words, command);
    case 'shortConv':
      return encodeShortConv(words, command);
    case 'gatedDelta':
      return encodeGatedDelta(words, command);
    case 'glu':
      words.numbers(ACTIVATION[command.activation]);
      return words.tensors(command.gate, command.up, command.out);
    case 'clampedGlu':
      words.numbers(command.alpha, command.limit);
      return words.tensors(command.out, command.x);
    case 'activate':
      words.numbers(ACTIVATION[command.activation]);
      return words.tensors(command.x, command.out);
    case 'sigmoidGate':
      return words.tensors(command.x, command.gate, command.out);
    case 'softcap':
      words.numbers(command.cap);
      return words.tensors(command.x);
    case 'scale':
    case 'fill':
      words.numbers(command.value);
      return words.tensors(command.x);
    case 'scaleRows':
      return words.tensors(command.x, command.scales);
    case 'accumulate':
      return words.tensors(command.x, command.y);
    case 'ungroup':
      words.tensors(command.x);
      words.numbers(command.groupWidth, command.start, command.count);
      return words.tensors(command.out);
    case 'gatherRows':
      words.tensors(command.x, command.out);
      words.each(command.indices, command.out.rows);
      words.flag(command.scales !== undefined);
      return command.scales && words.each(command.scales, command.out.rows);
    case 'scatterAddRows':
      words.tensors(command.x, command.out);
      words.each(command.indices, command.x.rows);
      return words.each(command.scales, command.x.rows);
  }
}
