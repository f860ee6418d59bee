// Commands on sequences that no backend may run, by what is wrong with them, and batches likewise.

import type { Submission } from '../../backend.js';
import type { KvCacheShape, SequenceSlice } from '../../batch.js';
import type {
  AttentionCommand,
  GatedDeltaCommand,
  LatentAttentionCommand,
  ShortConvCommand,
} from '../../command.js';
import type { WeightMemory, WeightSlice } from '../../weight.js';
import { FIRST_SEQUENCE, PLAIN_ATTENTION } from '../commands.js';
import { tensorAt } from './checks.js';
import { weightAt } from './wrong-commands.js';

/** Layers that the commands below fit: attention, recurrent, latents. */
export const CACHE: KvCacheShape = {
  layers: [
    { kind: 'attention', kvHeads: 2, headDim: 2, keysOnly: false },
    { kind: 'recurrent', convChannels: 4, convWidth: 3, heads: 2, keyDim: 2, valueDim: 2 },
    { kind: 'attention', kvHeads: 1, headDim: 3, keysOnly: true },
  ],
  blocks: 2,
  slots: 2,
};

export const SEQUENCE: SequenceSlice = { ...FIRST_SEQUENCE, rowCount: 2, blocks: Int32Array.of(1) };

/** Two tokens of two heads of two columns: q, k, v and out have 4 columns. */
export const ATTENTION: AttentionCommand<WeightSlice> = {
  op: 'attention',
  layer: 0,
  q: tensorAt(0, 2, 4),
  k: tensorAt(8, 2, 4),
  v: tensorAt(16, 2, 4),
  out: tensorAt(24, 2, 4),
  heads: 2,
  kvHeads: 2,
  headDim: 2,
  scale: 1,
  ...PLAIN_ATTENTION,
};

/** Four channels, three rows. */
export function shortConv(memory: WeightMemory): ShortConvCommand<WeightSlice> {
  return {
    op: 'shortConv',
    layer: 1,
    x: tensorAt(0, 2, 4),
    weight: weightAt(memory, 0, [4, 3]),
    bias: undefined,
    out: tensorAt(16, 2, 4),
  };
}

/** Two heads of 1 + 1 key columns and 1 value column over rank 2. */
function latentAttention(memory: WeightMemory): LatentAttentionCommand<WeightSlice> {
  return {
    op: 'latentAttention',
    layer: 2,
    q: tensorAt(0, 2, 4),
    latent: tensorAt(8, 2, 3),
    kvB: weightAt(memory, 0, [4, 2]),
    out: tensorAt(16, 2, 2),
    heads: 2,
    rank: 2,
    nopeDim: 1,
    ropeDim: 1,
    valueDim: 1,
    scale: 1,
  };
}

/** Two heads of two columns each. */
function gatedDelta(memory: WeightMemory): GatedDeltaCommand<WeightSlice> {
  return {
    op: 'gatedDelta',
    layer: 1,
    q: tensorAt(0, 2, 4),
    k: tensorAt(8, 2, 4),
    v: tensorAt(16, 2, 4),
    a: tensorAt(24, 2, 2),
    b: tensorAt(28, 2, 2),
    aLog: weightAt(memory, 0, [1, 2]),
    dtBias: weightAt(memory, 0, [1, 2]),
    out: tensorAt(32, 2, 4),
    keyHeads: 2,
    valueHeads: 2,
    keyDim: 2,
    valueDim: 2,
  };
}

/** One command of each kind that is right. */
export function rightSequenceCommands(memory: WeightMemory): Submission['commands'] {
  return [ATTENTION, shortConv(memory), gatedDelta(memory), latentAttention(memory)];
}

type Wrong = (memory: WeightMemory) => Submission['commands'][number];

export const WRONG_SEQUENCE_COMMANDS: Readonly<Record<string, Wrong>> = {
  'a layer the KV cache does not have': () => ({ ...ATTENTION, layer: 3 }),
  'attention over a recurrent state': () => ({ ...ATTENTION, layer: 1 }),
  'heads that are no multiple of the key heads': () => ({
    ...ATTENTION,
    heads: 3,
    q: tensorAt(0, 2, 6),
    out: tensorAt(24, 2, 6),
  }),
  'key heads that the KV cache does not have': () => ({
    ...ATTENTION,
    kvHeads: 1,
    k: tensorAt(8, 2, 2),
    v: tensorAt(16, 2, 2),
  }),
  'attention with values over a cache of keys': () => ({
    ...ATTENTION,
    layer: 2,
    heads: 1,
    kvHeads: 1,
    headDim: 3,
    q: tensorAt(0, 2, 3),
    k: tensorAt(8, 2, 3),
    v: tensorAt(16, 2, 3),
    out: tensorAt(24, 2, 3),
  }),
  'an empty window': () => ({ ...ATTENTION, window: 0 }),
  'chunks of half a position': () => ({ ...ATTENTION, chunk: 0.5 }),
  'scores capped at zero': () => ({ ...ATTENTION, softcap: 0 }),
  'fewer sinks than heads': (memory) => ({ ...ATTENTION, sinks: weightAt(memory, 0, [1, 1]) }),
  'fewer slopes than heads': () => ({ ...ATTENTION, alibiSlopes: [1] }),
  'latents of another width': (memory) => ({ ...latentAttention(memory), latent: tensorAt(8, 2, 4) }),
  'an expansion of other heads': (memory) => ({
    ...latentAttention(memory),
    kvB: weightAt(memory, 0, [3, 2]),
  }),
  'latents where keys and values are kept': (memory) => ({ ...latentAttention(memory), layer: 0 }),
  'a convolution of more channels than are kept': (memory) => ({
    ...shortConv(memory),
    x: tensorAt(0, 2, 5),
    weight: weightAt(memory, 0, [5, 3]),
    out: tensorAt(16, 2, 5),
  }),
  'a convolution of more rows than are kept': (memory) => ({
    ...shortConv(memory),
    weight: weightAt(memory, 0, [4, 4]),
  }),
  'a convolution over keys and values': (memory) => ({ ...shortConv(memory), layer: 0 }),
  'a convolution bias of another length': (memory) => ({
    ...shortConv(memory),
    bias: weightAt(memory, 0, [1, 3]),
  }),
  'a state of other sizes': (memory) => ({
    ...gatedDelta(memory),
    keyDim: 1,
    q: tensorAt(0, 2, 2),
    k: tensorAt(8, 2, 2),
  }),
  'value heads that are no multiple of the key heads': (memory) => ({
    ...gatedDelta(memory),
    keyHeads: 3,
    q: tensorAt(36, 2, 6),
    k: tensorAt(48, 2, 6),
  }),
  'decays of other heads': (memory) => ({ ...gatedDelta(memory), aLog: weightAt(memory, 0, [1, 3]) }),
  'rates of other heads': (memory) => ({ ...gatedDelta(memory), b: tensorAt(28, 2, 1) }),
};

/** What is wrong with the only sequence of a batch for attention. */
export const WRONG_BATCHES: Readonly<Record<string, Partial<SequenceSlice>>> = {
  'a block past the KV cache': { blocks: Int32Array.of(2) },
  'a negative block': { blocks: Int32Array.of(-1) },
  'too few blocks for the tokens': { past: 15 },
  'a negative past': { past: -1 },
  'rows that belong to no sequence': { rowCount: 1 },
  'more rows than the batch has': { rowCount: 3 },
};

/** The same for a recurrent state, with all sequences of the batch. */
export const WRONG_SLOTS: Readonly<Record<string, readonly SequenceSlice[]>> = {
  'a slot past the cache': [{ ...SEQUENCE, slot: 2 }],
  'a negative slot': [{ ...SEQUENCE, slot: -1 }],
  'two sequences in one slot': [
    { ...SEQUENCE, rowCount: 1, slot: 1 },
    { ...SEQUENCE, rowStart: 1, rowCount: 1, slot: 1 },
  ],
};
