// Checks the commands that mix the rows of a sequence: attention and recurrences, and what they remember.

import type { Submission } from '../backend.js';
import type { BatchLayout, KvCacheShape, KvLayerShape, RecurrentLayerShape } from '../batch.js';
import type {
  AttentionCommand,
  GatedDeltaCommand,
  LatentAttentionCommand,
  ShortConvCommand,
} from '../command.js';
import { BackendError } from '../errors.js';
import type { WeightSlice } from '../weight.js';
import { checkBlocks, checkRows, checkSlots } from './check-batch.js';
import { checkMatrix, checkShaped, checkVector, checkWeight, expect, isCount } from './check-operands.js';

export function checkAttention(command: AttentionCommand<WeightSlice>, submission: Submission): void {
  const { layer, heads, kvHeads, headDim, scale, window, chunk, softcap, sinks, alibiSlopes } = command;
  checkKvLayer(submission, layer, { kind: 'attention', kvHeads, headDim, keysOnly: false });
  const { arena } = submission;
  const rows = command.q.rows;
  checkBlocked(submission, rows);
  expect(
    isCount(heads) && heads % kvHeads === 0,
    `Expected heads to be a multiple of the ${kvHeads} key heads but received ${heads}`,
  );
  expect(window === undefined || isCount(window), `Expected a window of at least 1 but received ${window}`);
  expect(chunk === undefined || isCount(chunk), `Expected a chunk of at least 1 but received ${chunk}`);
  expect(softcap === undefined || softcap > 0, `Expected a softcap above 0 but received ${softcap}`);
  expect(Number.isFinite(scale), `Expected a finite scale but received ${scale}`);
  expect(
    alibiSlopes === undefined || alibiSlopes.length === heads,
    `Expected ${heads} ALiBi slopes but received ${alibiSlopes?.length}`,
  );
  if (sinks) checkVector('attention sinks', sinks, heads);
  checkShaped('attention queries', command.q, { arena, rows, cols: heads * headDim });
  checkShaped('attention keys', command.k, { arena, rows, cols: kvHeads * headDim });
  checkShaped('attention values', command.v, { arena, rows, cols: kvHeads * headDim });
  checkShaped('attention output', command.out, { arena, rows, cols: heads * headDim });
}

export function checkLatentAttention(
  command: LatentAttentionCommand<WeightSlice>,
  submission: Submission,
): void {
  const { layer, heads, rank, nopeDim, ropeDim, valueDim, kvB } = command;
  checkKvLayer(submission, layer, { kind: 'attention', kvHeads: 1, headDim: rank + ropeDim, keysOnly: true });
  const { arena } = submission;
  const rows = command.q.rows;
  checkBlocked(submission, rows);
  expect(
    [heads, rank, nopeDim, ropeDim, valueDim].every(isCount),
    `Expected sizes of at least 1 for latentAttention but received ${heads} heads, rank ${rank}, ${nopeDim} + ${ropeDim} key and ${valueDim} value columns`,
  );
  checkMatrix('latentAttention weight', kvB, [heads * (nopeDim + valueDim), rank]);
  checkShaped('latentAttention queries', command.q, { arena, rows, cols: heads * (nopeDim + ropeDim) });
  checkShaped('latents', command.latent, { arena, rows, cols: rank + ropeDim });
  checkShaped('latentAttention output', command.out, { arena, rows, cols: heads * valueDim });
}

export function checkShortConv(command: ShortConvCommand<WeightSlice>, submission: Submission): void {
  const { layer, x, weight, bias, out } = command;
  checkWeight('shortConv weight', weight);
  const { rows: convChannels, cols: convWidth } = weight;
  checkRecurrentLayer(submission, layer, { convChannels, convWidth });
  const { arena } = submission;
  checkSlotted(submission, x.rows);
  if (bias) checkVector('shortConv bias', bias, convChannels);
  checkShaped('shortConv input', x, { arena, rows: x.rows, cols: convChannels });
  checkShaped('shortConv output', out, { arena, rows: x.rows, cols: convChannels });
}

export function checkGatedDelta(command: GatedDeltaCommand<WeightSlice>, submission: Submission): void {
  const { layer, keyHeads, valueHeads, keyDim, valueDim, aLog, dtBias } = command;
  checkRecurrentLayer(submission, layer, { heads: valueHeads, keyDim, valueDim });
  const { arena } = submission;
  const rows = command.v.rows;
  checkSlotted(submission, rows);
  expect(
    isCount(keyHeads) && valueHeads % keyHeads === 0,
    `Expected ${valueHeads} value heads to be a multiple of the key heads but received ${keyHeads}`,
  );
  checkVector('gatedDelta decay logarithms', aLog, valueHeads);
  checkVector('gatedDelta decay biases', dtBias, valueHeads);
  checkShaped('gatedDelta queries', command.q, { arena, rows, cols: keyHeads * keyDim });
  checkShaped('gatedDelta keys', command.k, { arena, rows, cols: keyHeads * keyDim });
  checkShaped('gatedDelta values', command.v, { arena, rows, cols: valueHeads * valueDim });
  checkShaped('gatedDelta decay inputs', command.a, { arena, rows, cols: valueHeads });
  checkShaped('gatedDelta rate inputs', command.b, { arena, rows, cols: valueHeads });
  checkShaped('gatedDelta output', command.out, { arena, rows, cols: valueHeads * valueDim });
}

function checkKvLayer(submission: Submission, index: number, wanted: KvLayerShape): void {
  const { cache } = memoryOf(submission);
  const layer = cache.layers[index];
  const found = layer?.kind === 'attention' ? layer : undefined;
  const { kvHeads, headDim, keysOnly } = wanted;
  expect(
    found?.kvHeads === kvHeads && found.headDim === headDim && found.keysOnly === keysOnly,
    `Expected ${describe(layer)} in layer ${index} of ${cache.layers.length} but the command has ${describe(wanted)}`,
  );
}

function checkRecurrentLayer(
  submission: Submission,
  index: number,
  wanted: Partial<RecurrentLayerShape>,
): void {
  const { cache } = memoryOf(submission);
  const layer = cache.layers[index];
  const same =
    layer?.kind === 'recurrent' &&
    Object.entries(wanted).every(([name, size]) => layer[name as keyof RecurrentLayerShape] === size);
  expect(
    same,
    `Expected ${describe(layer)} in layer ${index} of ${cache.layers.length} but the command has ${describe(wanted)}`,
  );
}

function checkBlocked(submission: Submission, rows: number): void {
  const { cache, batch } = memoryOf(submission);
  checkRows(batch, rows);
  checkBlocks(batch, cache);
}

function checkSlotted(submission: Submission, rows: number): void {
  const { cache, batch } = memoryOf(submission);
  checkRows(batch, rows);
  checkSlots(batch, cache);
}

function memoryOf({ kvCache, batch }: Submission): { cache: KvCacheShape; batch: BatchLayout } {
  if (!kvCache || !batch) {
    throw new BackendError('INVALID_OPERAND', 'Expected a KV cache and a batch layout');
  }
  return { cache: kvCache.shape, batch };
}

function describe(layer: object | undefined): string {
  return layer ? JSON.stringify(layer) : 'nothing';
}
