// From a command to the op that executes it.

import type { BatchLayout } from '../batch.js';
import type { Command } from '../command.js';
import type { WeightSlice } from '../weight.js';
import { accumulate } from './ops/accumulate.js';
import { attention } from './ops/attention.js';
import { embedding } from './ops/embedding.js';
import { fill } from './ops/fill.js';
import { gatherRows } from './ops/gather-rows.js';
import { glu } from './ops/glu.js';
import { linear } from './ops/linear.js';
import { rmsNorm } from './ops/rms-norm.js';
import { rope } from './ops/rope.js';
import { scatterAddRows } from './ops/scatter-add-rows.js';
import type { ReferenceKvCache } from './reference-kv-cache.js';

/** The memory a command works on; its operands have been checked. */
export interface Workspace {
  /** The arena. */
  readonly values: Float64Array;
  readonly kvCache: ReferenceKvCache | undefined;
  readonly batch: BatchLayout | undefined;
}

/** Executes one command; the long ones yield after every few microseconds to milliseconds of work. */
export function* runCommand(command: Command<WeightSlice>, workspace: Workspace): Generator<undefined, void> {
  const { values } = workspace;
  switch (command.op) {
    case 'embedding':
      return embedding(command, values);
    case 'rmsNorm':
      return rmsNorm(command, values);
    case 'linear':
      return yield* linear(command, values);
    case 'rope':
      return rope(command, values);
    case 'attention':
      return yield* attention(command, workspace);
    case 'glu':
      return glu(command, values);
    case 'accumulate':
      return accumulate(command, values);
    case 'fill':
      return fill(command, values);
    case 'gatherRows':
      return gatherRows(command, values);
    case 'scatterAddRows':
      return scatterAddRows(command, values);
  }
}
