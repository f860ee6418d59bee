// From a command to the op that executes it.

import type { Command } from '../command.js';
import type { WeightSlice } from '../weight.js';
import { accumulate } from './ops/accumulate.js';
import { activate } from './ops/activate.js';
import { attention } from './ops/attention.js';
import { clampedGlu } from './ops/clamped-glu.js';
import { embedding } from './ops/embedding.js';
import { fill } from './ops/fill.js';
import { gatedDelta } from './ops/gated-delta.js';
import { gatherRows } from './ops/gather-rows.js';
import { glu } from './ops/glu.js';
import { latentAttention } from './ops/latent-attention.js';
import { layerNorm } from './ops/layer-norm.js';
import { linear } from './ops/linear.js';
import { linearTransposed } from './ops/linear-transposed.js';
import { rmsNorm } from './ops/rms-norm.js';
import { rope } from './ops/rope.js';
import { scale } from './ops/scale.js';
import { scaleRows } from './ops/scale-rows.js';
import { scatterAddRows } from './ops/scatter-add-rows.js';
import { shortConv } from './ops/short-conv.js';
import { sigmoidGate } from './ops/sigmoid-gate.js';
import { softcap } from './ops/softcap.js';
import { ungroup } from './ops/ungroup.js';
import type { Workspace } from './workspace.js';

/** Executes one command; the long ones yield after every few microseconds to milliseconds of work. */
export function* runCommand(command: Command<WeightSlice>, workspace: Workspace): Generator<undefined, void> {
  const { values } = workspace;
  switch (command.op) {
    case 'embedding':
      return embedding(command, values);
    case 'rmsNorm':
      return rmsNorm(command, values);
    case 'layerNorm':
      return layerNorm(command, values);
    case 'linear':
      return yield* linear(command, values);
    case 'linearTransposed':
      return yield* linearTransposed(command, values);
    case 'rope':
      return rope(command, values);
    case 'attention':
      return yield* attention(command, workspace);
    case 'latentAttention':
      return yield* latentAttention(command, workspace);
    case 'shortConv':
      return yield* shortConv(command, workspace);
    case 'gatedDelta':
      return yield* gatedDelta(command, workspace);
    case 'glu':
      return glu(command, values);
    case 'clampedGlu':
      return clampedGlu(command, values);
    case 'activate':
      return activate(command, values);
    case 'sigmoidGate':
      return sigmoidGate(command, values);
    case 'softcap':
      return softcap(command, values);
    case 'scale':
      return scale(command, values);
    case 'scaleRows':
      return scaleRows(command, values);
    case 'accumulate':
      return accumulate(command, values);
    case 'fill':
      return fill(command, values);
    case 'ungroup':
      return ungroup(command, values);
    case 'gatherRows':
      return gatherRows(command, values);
    case 'scatterAddRows':
      return scatterAddRows(command, values);
  }
}
