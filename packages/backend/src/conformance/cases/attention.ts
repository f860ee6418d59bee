// attention: head groups, head sizes, windows, ragged batches over shuffled blocks, large scores.

import { compareWithReference, type Scenario } from '../compare-with-reference.js';
import type { ConformanceCase } from '../conformance-case.js';
import { ATTENTION, ATTENTION_LARGE_SCORES } from '../tolerances.js';
import { attentionScenario, type AttentionShape, type Passes } from './attention-scenario.js';

/** Three sequences of different lengths and pasts, which cross blocks of 16 within and between passes. */
const RAGGED: readonly Passes[] = [
  [15, 1, 1, 1],
  [1, 0, 20, 1],
  [33, 5, 1, 17],
];

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
const WINDOWS = [1, 5, 16, 17, 30, 1000];

export function attentionCases(): ConformanceCase[] {
  return [
    ...GROUPS.map((group) =>
      attentionCase(`${group.heads} heads over ${group.kvHeads}`, { ...group, headDim: 16 }),
    ),
    ...HEAD_DIMS.map((headDim) =>
      attentionCase(`head of ${headDim} columns`, { heads: 4, kvHeads: 2, headDim }),
    ),
    ...WINDOWS.map((window) =>
      attentionCase(`window of ${window}`, { heads: 4, kvHeads: 2, headDim: 16, window }),
    ),
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
    run: (backend) => compareWithReference(backend, [attentionScenario(shape, sequences)]),
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
      const kvCache = bench.kvCache({ layers: [{ kvHeads: 1, headDim: 1 }], blocks: 1 });
      const q = bench.tensor(3, 1, { data: Float32Array.of(1000, 1000, 1000) });
      const k = bench.tensor(3, 1, { data: Float32Array.of(1000, -1000, 0) });
      const v = bench.tensor(3, 1, { data: Float32Array.of(0.5, 7, 9) });
      const out = bench.tensor(3, 1);
      const op = {
        op: 'attention',
        layer: 0,
        heads: 1,
        kvHeads: 1,
        headDim: 1,
        scale: 1,
        window: undefined,
      } as const;
      const sequences = [{ rowStart: 0, rowCount: 3, past: 0, blocks: Int32Array.of(0) }];
      return bench.run([{ ...op, q, k, v, out }], [out], { kvCache, batch: { rows: 3, sequences } });
    },
  };
}
