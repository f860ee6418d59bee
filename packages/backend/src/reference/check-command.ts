// Checks every operand of a command before anything of its submission runs.

import type { Submission } from '../backend.js';
import type { AttentionCommand, Command, RopeCommand } from '../command.js';
import type { WeightSlice } from '../weight.js';
import { checkBatch } from './check-batch.js';
import {
  checkIndices,
  checkShaped,
  checkTensor,
  checkVector,
  checkWeight,
  expect,
  isCount,
} from './check-operands.js';

/** @throws BackendError `INVALID_OPERAND` that names the operand, what it must be, and what it is. */
export function checkCommand(command: Command<WeightSlice>, submission: Submission): void {
  const { arena } = submission;
  switch (command.op) {
    case 'embedding': {
      const { table, ids, out } = command;
      checkWeight('embedding table', table);
      checkIndices('token ids', ids, { count: out.rows, limit: table.rows });
      return checkShaped('embedding output', out, { arena, rows: ids.length, cols: table.cols });
    }
    case 'rmsNorm': {
      const { x, weight, out } = command;
      checkTensor('rmsNorm input', x, arena);
      checkVector('rmsNorm weight', weight, weight.cols);
      expect(
        x.cols % weight.cols === 0,
        `Expected columns divisible by ${weight.cols} for rmsNorm but received ${x.cols}`,
      );
      return checkShaped('rmsNorm output', out, { arena, rows: x.rows, cols: x.cols });
    }
    case 'linear': {
      const { x, weight, bias, out } = command;
      checkWeight('linear weight', weight);
      if (bias) checkVector('linear bias', bias, weight.rows);
      checkShaped('linear input', x, { arena, rows: x.rows, cols: weight.cols });
      return checkShaped('linear output', out, { arena, rows: x.rows, cols: weight.rows });
    }
    case 'rope':
      return checkRope(command, submission);
    case 'attention':
      return checkAttention(command, submission);
    case 'glu': {
      const { gate, up, out } = command;
      checkTensor('glu gate', gate, arena);
      checkShaped('glu up', up, { arena, rows: gate.rows, cols: gate.cols });
      return checkShaped('glu output', out, { arena, rows: gate.rows, cols: gate.cols });
    }
    case 'accumulate': {
      const { x, y } = command;
      checkTensor('accumulate target', x, arena);
      return checkShaped('accumulate operand', y, { arena, rows: x.rows, cols: x.cols });
    }
    case 'fill':
      return checkTensor('filled tensor', command.x, arena);
    case 'gatherRows': {
      const { x, indices, out } = command;
      checkTensor('gatherRows input', x, arena);
      checkIndices('row numbers', indices, { count: out.rows, limit: x.rows });
      return checkShaped('gatherRows output', out, { arena, rows: indices.length, cols: x.cols });
    }
    case 'scatterAddRows': {
      const { x, indices, scales, out } = command;
      checkTensor('scatterAddRows input', x, arena);
      checkShaped('scatterAddRows output', out, { arena, rows: out.rows, cols: x.cols });
      checkIndices('row numbers', indices, { count: x.rows, limit: out.rows });
      return expect(scales.length === x.rows, `Expected ${x.rows} scales but received ${scales.length}`);
    }
    default:
      return expect(false, `Expected a known op but received ${String((command as { op: unknown }).op)}`);
  }
}

function checkRope({ x, cos, sin, headDim, rotaryDim }: RopeCommand, { arena }: Submission): void {
  checkTensor('rope tensor', x, arena);
  expect(
    isCount(headDim) && x.cols % headDim === 0,
    `Expected whole heads of ${headDim} columns for rope but received ${x.cols} columns`,
  );
  expect(
    isCount(rotaryDim) && rotaryDim % 2 === 0 && rotaryDim <= headDim,
    `Expected an even rotaryDim of at most ${headDim} but received ${rotaryDim}`,
  );
  checkShaped('rope cosines', cos, { arena, rows: x.rows, cols: rotaryDim / 2 });
  checkShaped('rope sines', sin, { arena, rows: x.rows, cols: rotaryDim / 2 });
}

function checkAttention(command: AttentionCommand, { arena, kvCache, batch }: Submission): void {
  const { layer, heads, kvHeads, headDim, window, q, k, v, out } = command;
  if (!kvCache || !batch) return expect(false, 'Expected a KV cache and a batch layout for attention');
  const shape = kvCache.shape.layers[layer];
  expect(
    shape?.kvHeads === kvHeads && shape.headDim === headDim,
    `Expected ${shape?.kvHeads} heads of ${shape?.headDim} in layer ${layer} of ${kvCache.shape.layers.length} but received ${kvHeads} of ${headDim}`,
  );
  expect(
    isCount(heads) && heads % kvHeads === 0,
    `Expected heads to be a multiple of the ${kvHeads} key heads but received ${heads}`,
  );
  expect(window === undefined || isCount(window), `Expected a window of at least 1 but received ${window}`);
  checkBatch(batch, kvCache.shape);
  const { rows } = batch;
  checkShaped('attention queries', q, { arena, rows, cols: heads * headDim });
  checkShaped('attention keys', k, { arena, rows, cols: kvHeads * headDim });
  checkShaped('attention values', v, { arena, rows, cols: kvHeads * headDim });
  checkShaped('attention output', out, { arena, rows, cols: heads * headDim });
}
