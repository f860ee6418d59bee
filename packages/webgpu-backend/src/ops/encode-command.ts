// From a command to the op that turns it into dispatches.

import type { Command, WeightSlice } from '@airllm/backend';
import type { OpContext } from '../dispatch/op-context.js';
import { attention } from './attention.js';
import * as elementwise from './elementwise.js';
import { embedding } from './embedding.js';
import { gatedDelta } from './gated-delta.js';
import { latentAttention } from './latent-attention.js';
import { linear } from './linear.js';
import { linearTransposed } from './linear-transposed.js';
import { layerNorm, rmsNorm } from './norms.js';
import { rope } from './rope.js';
import { scatterAddRows } from './scatter-add-rows.js';
import { shortConv } from './short-conv.js';

/** Emits the dispatches of a command whose operands have been checked. */
export function encodeCommand(context: OpContext, command: Command<WeightSlice>): void {
  switch (command.op) {
    case 'embedding':
      return embedding(context, command);
    case 'rmsNorm':
      return rmsNorm(context, command);
    case 'layerNorm':
      return layerNorm(context, command);
    case 'linear':
      return linear(context, command);
    case 'linearTransposed':
      return linearTransposed(context, command);
    case 'rope':
      return rope(context, command);
    case 'attention':
      return attention(context, command);
    case 'latentAttention':
      return latentAttention(context, command);
    case 'shortConv':
      return shortConv(context, command);
    case 'gatedDelta':
      return gatedDelta(context, command);
    case 'glu':
      return elementwise.glu(context, command);
    case 'clampedGlu':
      return elementwise.clampedGlu(context, command);
    case 'activate':
      return elementwise.activate(context, command);
    case 'sigmoidGate':
      return elementwise.sigmoidGate(context, command);
    case 'softcap':
      return elementwise.softcap(context, command);
    case 'scale':
      return elementwise.scale(context, command);
    case 'scaleRows':
      return elementwise.scaleRows(context, command);
    case 'accumulate':
      return elementwise.accumulate(context, command);
    case 'fill':
      return elementwise.fill(context, command);
    case 'ungroup':
      return elementwise.ungroup(context, command);
    case 'gatherRows':
      return elementwise.gatherRows(context, command);
    case 'scatterAddRows':
      return scatterAddRows(context, command);
  }
}
