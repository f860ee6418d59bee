// A prompt gives the same outputs in one pass, in chunks and token by token.

import { createReferenceBackend } from '../../reference/index.js';
import { onBench } from '../compare-with-reference.js';
import type { ConformanceCase } from '../conformance-case.js';
import { Deviation } from '../deviation.js';
import { ATTENTION } from '../tolerances.js';
import { attentionScenario, type AttentionShape, type Passes } from './attention-scenario.js';

const TOKENS = 53;

const CHUNKINGS: Readonly<Record<string, Passes>> = {
  'in one pass': [TOKENS],
  'in chunks of 16': [16, 16, 16, 5],
  'in chunks of 7': [7, 7, 7, 7, 7, 7, 7, 4],
  'token by token': new Array<number>(TOKENS).fill(1),
};

export function chunkingCases(): ConformanceCase[] {
  return [undefined, 20].flatMap((window) =>
    Object.entries(CHUNKINGS).map(([name, passes]): ConformanceCase => {
      const shape: AttentionShape = { heads: 4, kvHeads: 2, headDim: 20, ...(window && { window }) };
      return {
        name: `attention ${name}${window ? ` with a window of ${window}` : ''}`,
        op: 'attention',
        group: 'accuracy',
        tolerance: ATTENTION,
        run: async (backend) => {
          await using reference = createReferenceBackend();
          const deviation = new Deviation();
          const actual = await onBench(backend, attentionScenario(shape, [passes]).outputs);
          const expected = await onBench(reference, attentionScenario(shape, [[TOKENS]]).outputs);
          deviation.add(name, actual, expected);
          return deviation.result();
        },
      };
    }),
  );
}
