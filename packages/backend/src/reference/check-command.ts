// Checks every operand of a command before anything of its submission runs.

import type { Arena, Submission } from '../backend.js';
import type { Command, LayerNormCommand, RmsNormCommand, RopeCommand, UngroupCommand } from '../command.js';
import { isPacked } from '../dtype.js';
import type { Tensor } from '../tensor.js';
import type { WeightSlice } from '../weight.js';
import { checkIndices, checkShaped, checkTensor, checkVector, expect, isCount } from './check-operands.js';
import { checkPackable } from './check-packing.js';
import {
  checkAttention,
  checkGatedDelta,
  checkLatentAttention,
  checkShortConv,
} from './check-sequence-command.js';

/** @throws BackendError `INVALID_OPERAND` that names the operand, what it must be, and what it is. */
export function checkCommand(command: Command<WeightSlice>, submission: Submission): void {
  const { arena } = submission;
  switch (command.op) {
    case 'embedding': {
      const { table, ids, out } = command;
      checkPackable('embedding table', table);
      checkIndices('token ids', ids, { count: out.rows, limit: table.rows });
      return checkShaped('embedding output', out, { arena, rows: ids.length, cols: table.cols });
    }
    case 'rmsNorm':
    case 'layerNorm':
      return checkNorm(command, arena);
    case 'linear': {
      const { x, weight, bias, normalizeRows, out } = command;
      checkPackable('linear weight', weight);
      expect(
        !command.normalizeRows || !isPacked(weight.dtype),
        `Expected a weight of single values beside normalizeRows but received ${weight.dtype}`,
      );
      if (bias) checkVector('linear bias', bias, weight.rows);
      expect(!(bias && normalizeRows), 'Expected no bias beside normalizeRows but received one');
      checkShaped('linear input', x, { arena, rows: x.rows, cols: weight.cols });
      return checkShaped('linear output', out, { arena, rows: x.rows, cols: weight.rows });
    }
    case 'linearTransposed': {
      const { x, weight, bias, accumulate, out } = command;
      checkPackable('linearTransposed weight', weight);
      if (bias) checkVector('linearTransposed bias', bias, weight.cols);
      expect(!(bias && accumulate), 'Expected no bias beside accumulate but received one');
      checkShaped('linearTransposed input', x, { arena, rows: x.rows, cols: weight.rows });
      return checkShaped('linearTransposed output', out, { arena, rows: x.rows, cols: weight.cols });
    }
    case 'rope':
      return checkRope(command, arena);
    case 'attention':
      return checkAttention(command, submission);
    case 'latentAttention':
      return checkLatentAttention(command, submission);
    case 'shortConv':
      return checkShortConv(command, submission);
    case 'gatedDelta':
      return checkGatedDelta(command, submission);
    case 'glu': {
      const { gate, up, out } = command;
      checkTensor('glu gate', gate, arena);
      checkSame('glu up', up, { like: gate, arena });
      return checkSame('glu output', out, { like: gate, arena });
    }
    case 'clampedGlu': {
      const { x, alpha, limit, out } = command;
      checkTensor('clampedGlu output', out, arena);
      expect(
        Number.isFinite(alpha) && limit > 0,
        `Expected a finite alpha and a limit above 0 for clampedGlu but received ${alpha} and ${limit}`,
      );
      return checkShaped('clampedGlu input', x, { arena, rows: out.rows, cols: 2 * out.cols });
    }
    case 'activate':
      checkTensor('activated tensor', command.x, arena);
      return checkSame('activate output', command.out, { like: command.x, arena });
    case 'sigmoidGate': {
      const { x, gate, out } = command;
      checkTensor('sigmoidGate input', x, arena);
      checkShaped('sigmoidGate gate', gate, { arena, rows: x.rows, cols: gate.cols === 1 ? 1 : x.cols });
      return checkSame('sigmoidGate output', out, { like: x, arena });
    }
    case 'softcap':
      checkTensor('capped tensor', command.x, arena);
      return expect(command.cap > 0, `Expected a cap above 0 but received ${command.cap}`);
    case 'scale':
      return checkTensor('scaled tensor', command.x, arena);
    case 'scaleRows':
      checkTensor('scaled tensor', command.x, arena);
      return checkShaped('row scales', command.scales, { arena, rows: command.x.rows, cols: 1 });
    case 'accumulate':
      checkTensor('accumulate target', command.x, arena);
      return checkSame('accumulate operand', command.y, { like: command.x, arena });
    case 'fill':
      return checkTensor('filled tensor', command.x, arena);
    case 'ungroup':
      return checkUngroup(command, arena);
    case 'gatherRows': {
      const { x, indices, scales, out } = command;
      checkTensor('gatherRows input', x, arena);
      expect(
        scales === undefined || scales.length === out.rows,
        `Expected ${out.rows} scales but received ${scales?.length}`,
      );
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

function checkSame(what: string, tensor: Tensor, { like, arena }: { like: Tensor; arena: Arena }): void {
  checkShaped(what, tensor, { arena, rows: like.rows, cols: like.cols });
}

function checkNorm(command: RmsNormCommand<WeightSlice> | LayerNormCommand<WeightSlice>, arena: Arena): void {
  const { op, x, weight, groupWidth, out } = command;
  const bias = op === 'layerNorm' ? command.bias : undefined;
  checkTensor(`${op} input`, x, arena);
  expect(
    isCount(groupWidth) && x.cols % groupWidth === 0,
    `Expected columns divisible by ${groupWidth} for ${op} but received ${x.cols}`,
  );
  for (const factors of [weight, bias]) {
    if (factors) checkVector(`${op} weight`, factors, factors.cols === groupWidth ? groupWidth : x.cols);
  }
  checkSame(`${op} output`, out, { like: x, arena });
}

function checkRope({ x, cos, sin, headDim, rotaryStart, rotaryDim }: RopeCommand, arena: Arena): void {
  checkTensor('rope tensor', x, arena);
  expect(
    isCount(headDim) && x.cols % headDim === 0,
    `Expected whole heads of ${headDim} columns for rope but received ${x.cols} columns`,
  );
  expect(
    isCount(rotaryDim) &&
      rotaryDim % 2 === 0 &&
      Number.isSafeInteger(rotaryStart) &&
      rotaryStart >= 0 &&
      rotaryStart + rotaryDim <= headDim,
    `Expected an even rotaryDim within the ${headDim} columns of a head but received ${rotaryDim} from ${rotaryStart}`,
  );
  checkShaped('rope cosines', cos, { arena, rows: x.rows, cols: rotaryDim / 2 });
  checkShaped('rope sines', sin, { arena, rows: x.rows, cols: rotaryDim / 2 });
}

function checkUngroup({ x, groupWidth, start, count, out }: UngroupCommand, arena: Arena): void {
  checkTensor('ungroup input', x, arena);
  expect(
    isCount(groupWidth) && x.cols % groupWidth === 0,
    `Expected columns divisible by ${groupWidth} for ungroup but received ${x.cols}`,
  );
  expect(
    Number.isSafeInteger(start) && start >= 0 && isCount(count) && start + count <= groupWidth,
    `Expected columns within a group of ${groupWidth} but received [${start}, ${start + count})`,
  );
  checkShaped('ungroup output', out, { arena, rows: x.rows, cols: (x.cols / groupWidth) * count });
}
