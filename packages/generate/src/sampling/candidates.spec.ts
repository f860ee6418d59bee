import { readFileSync } from 'node:fs';
import { bestToken } from './best-token.js';
import { selectCandidates } from './candidates.js';
import { applyPenalties, type TokenHistory } from './penalties.js';
import { resolveSamplingOptions, type SamplingOptions } from './sampling-options.js';
import { SamplingWorkspace } from './workspace.js';

interface Fixture {
  promptIds: number[];
  generatedIds: number[];
  logits: number[];
  cases: { options: SamplingOptions; ids: number[]; probabilities: number[] }[];
}

const fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/sampling/processors.json', import.meta.url), 'utf8'),
) as Fixture;

function distribution(
  logits: readonly number[],
  given: SamplingOptions,
  history: TokenHistory = { promptIds: [], generatedIds: [] },
): { ids: number[]; probabilities: number[] } {
  const workspace = new SamplingWorkspace();
  const options = resolveSamplingOptions({ doSample: true, ...given });
  workspace.load(Float32Array.from(logits));
  applyPenalties(workspace, history, options);
  const { count, totalWeight } = selectCandidates(workspace, bestToken(workspace.scores).score, options);
  return {
    ids: [...workspace.ids.subarray(0, count)],
    probabilities: Array.from(workspace.weights.subarray(0, count), (weight) => weight / totalWeight),
  };
}

describe('penalties, temperature, top-k, top-p and min-p', () => {
  it.each(fixture.cases.map((example) => [JSON.stringify(example.options), example] as const))(
    'keep the tokens and probabilities of transformers for %s',
    (_, { options, ids, probabilities }) => {
      const found = distribution(fixture.logits, options, fixture);
      expect(found.ids).toEqual(ids);
      // transformers computes the scores in float32: about 1e-6 relative.
      found.probabilities.forEach((p, i) => expect(p / (probabilities[i] ?? NaN)).toBeCloseTo(1, 5));
    },
  );

  it('keep every score equal to the last of top-k, as transformers does', () => {
    expect(distribution([3, 1, 2, 1, 0], { topK: 3 }).ids).toEqual([0, 1, 2, 3]);
  });

  it('keep the lowest ids of equal scores at the edge of top-p', () => {
    // Eight tokens of probability 1/8: three reach 0.3, and a token more would not be the smallest set.
    expect(distribution([0, 0, 0, 0, 0, 0, 0, 0], { topP: 0.3 }).ids).toEqual([0, 1, 2]);
    expect(distribution([0, 0, 0, 0, 0, 0, 0, 0], { topP: 0.25 }).ids).toEqual([0, 1]);
  });

  it('never offer a banned token', () => {
    const { ids, probabilities } = distribution([1, 5, 1], { logitBias: { 1: -Infinity } });
    expect(ids.filter((_, i) => (probabilities[i] ?? 0) > 0)).toEqual([0, 2]);
  });

  it('pass over ids the head does not have', () => {
    const history = { promptIds: [-1, 3, 70], generatedIds: [2, 1e9] };
    const options = { repetitionPenalty: 2, frequencyPenalty: 1, logitBias: { 50: 1 } };
    // Token 2: 4 / 2 - 1 = 1, the others 1: all equal.
    expect(distribution([1, 1, 4], options, history).probabilities).toEqual([1 / 3, 1 / 3, 1 / 3]);
  });
});
