// attention: head groups, head sizes, windows, chunks, caps, sinks, biases, ragged batches over shuffled blocks,
// large scores.

import { DTYPES } from '../../dtype.js';
import { FIRST_SEQUENCE, PLAIN_ATTENTION } from '../commands.js';
import { compareWithReference, type Scenario } from '../compare-with-reference.js';
import type { ConformanceCase } from '../conformance-case.js';
import { ATTENTION, ATTENTION_LARGE_SCORES } from '../tolerances.js';
import { attentionOp, type AttentionShape } from './sequence-ops.js';
import { RAGGED, sequenceScenario } from './sequence-scenario.js';

const GROUPS = [
  { heads: 1, kvHeads: 1 },
  { heads: 4, kvHeads: 4 },
  { heads: 4, kvHeads: 2 },
  { heads: 8, kvHeads: 2 },
  { heads: 8, kvHeads: 1 },
  { heads: 16, kvHeads: 2 },
  { heads: 6, kvHeads: 2 },
];

const HEAD_DIMS = [8, 16, 20, 33, 64, 80, 128];

/** Within a block, one block, across blocks, longer than every sequence. */
const SPANS = [1, 5, 16, 17, 30, 1000];

const FOUR_HEADS = { heads: 4, kvHeads: 2, headDim: 16 };

/** 2^(−8h/n) for four heads (Press et al. 2022). */
const SLOPES = [1 / 4, 1 / 16, 1 / 64, 1 / 256];

export function attentionCases(): ConformanceCase[] {
  return [
    ...GROUPS.map((group) =>
      attentionCase(`${group.heads} heads over ${group.kvHeads}`, { ...group, headDim: 16 }),
    ),
    ...HEAD_DIMS.map((headDim) => attentionCase(`head of ${headDim} columns`, { ...FOUR_HEADS, headDim })),
    ...SPANS.map((window) => attentionCase(`window of ${window}`, { ...FOUR_HEADS, window })),
    ...SPANS.map((chunk) => attentionCase(`chunks of ${chunk} positions`, { ...FOUR_HEADS, chunk })),
    attentionCase('window within chunks', { ...FOUR_HEADS, window: 7, chunk: 10 }),
    ...[0.5, 50].map((softcap) => attentionCase(`scores capped at ${softcap}`, { ...FOUR_HEADS, softcap })),
    attentionCase('scores about 30 capped at 20', { ...FOUR_HEADS, softcap: 20, magnitude: 5 }),
    ...DTYPES.map((sinks) => attentionCase(`sinks in ${sinks}`, { ...FOUR_HEADS, sinks })),
    attentionCase('sinks and a window', { ...FOUR_HEADS, sinks: 'bf16', window: 5 }),
    attentionCase('linear biases', { ...FOUR_HEADS, alibiSlopes: SLOPES }),
    attentionCase('long prefill and decode', { heads: 2, kvHeads: 1, headDim: 32 }, [
      [130, 1, 1],
      [257, 1],
      [1, 1, 1],
    ]),
    {
      ...attentionCase('scores about 1000', { heads: 2, kvHeads: 1, headDim: 16, magnitude: 16 }),
      tolerance: ATTENTION_LARGE_SCORES,
    },
    {
      name: 'attention with scores beyond exp()',
      op: 'attention',
      group: 'accuracy',
      tolerance: ATTENTION,
      run: (backend) => compareWithReference(backend, [dominatedByOneKey()]),
    },
  ];
}

function attentionCase(name: string, shape: AttentionShape, sequences = RAGGED): ConformanceCase {
  return {
    name: `attention ${name}`,
    op: 'attention',
    group: 'accuracy',
    tolerance: ATTENTION,
    run: (backend) => compareWithReference(backend, [sequenceScenario(attentionOp(shape), sequences)]),
  };
}

/**
 * Keys are ±1000 and 0, the query is 1000: scores +1e6, −1e6 and 0. All weight goes to the first token, so
 * the output is its value, and exp() of no raw score is finite.
 */
function dominatedByOneKey(): Scenario {
  return {
    label: 'scores 1e6, -1e6, 0',
    outputs: (bench) => {
      const shape = { kvHeads: 1, headDim: 1 };
      const kvCache = bench.kvCache({
        layers: [{ kind: 'attention', ...shape, keysOnly: false }],
        blocks: 1,
        slots: 0,
      });
      const q = bench.tensor(3, 1, { data: Float32Array.of(1000, 1000, 1000) });
      const k = bench.tensor(3, 1, { data: Float32Array.of(1000, -1000, 0) });
      const v = bench.tensor(3, 1, { data: Float32Array.of(0.5, 7, 9) });
      const out = bench.tensor(3, 1);
      const op = { op: 'attention', layer: 0, heads: 1, ...shape, scale: 1, ...PLAIN_ATTENTION } as const;
      const sequences = [{ ...FIRST_SEQUENCE, rowCount: 3 }];
      return bench.run([{ ...op, q, k, v, out }], [out], { kvCache, batch: { rows: 3, sequences } });
    },
  };
}
