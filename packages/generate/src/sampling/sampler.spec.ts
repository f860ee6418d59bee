import { resolveSamplingOptions, type SamplingOptions } from './sampling-options.js';
import { createSampler, type SamplerContext } from './sampler.js';
import { SamplingWorkspace } from './workspace.js';

const NO_HISTORY = { promptIds: [], generatedIds: [] };

function draws(
  count: number,
  logits: readonly number[],
  options: SamplingOptions,
  context?: SamplerContext,
): number[] {
  const sampler = createSampler(resolveSamplingOptions(options), context);
  const scores = Float32Array.from(logits);
  return Array.from({ length: count }, () => sampler.sample(scores, NO_HISTORY).tokenId);
}

describe('greedy decoding', () => {
  it('takes the largest logit, and the lowest id among equals', () => {
    expect(draws(2, [0, 2, -1, 2], {})).toEqual([1, 1]);
  });

  it('honours penalties and biases', () => {
    const sampler = createSampler(resolveSamplingOptions({ repetitionPenalty: 2, logitBias: { 0: 1.5 } }));
    // Token 1: 2 / 2 = 1; token 0: 0 + 1.5.
    expect(sampler.sample(Float32Array.of(0, 2), { promptIds: [1], generatedIds: [] }).tokenId).toBe(0);
  });

  it.each([
    ['NaN', [1, NaN, 2], 1],
    ['+Infinity', [1, 2, Infinity], 2],
    ['nothing but banned tokens', [-Infinity, -Infinity], -1],
  ])('refuses %s', (_, logits, tokenId) => {
    for (const options of [{}, { temperature: 1 }]) {
      expect(() => draws(1, logits, options)).toThrow(
        expect.objectContaining({ code: 'NON_FINITE_LOGITS', fields: expect.objectContaining({ tokenId }) }),
      );
    }
  });
});

describe('sampling', () => {
  const LOGITS = [2, 1, 0, -1, 1.5, -3, 0.5, 0];

  it('draws with the frequencies of the softmax', () => {
    const total = 20_000;
    const counts = new Array<number>(LOGITS.length).fill(0);
    for (const id of draws(total, LOGITS, { temperature: 1.25, seed: 2024 }))
      counts[id] = (counts[id] ?? 0) + 1;
    const weights = LOGITS.map((logit) => Math.exp(logit / 1.25));
    const weightSum = weights.reduce((sum, weight) => sum + weight, 0);
    const chiSquare = counts.reduce((sum, count, id) => {
      const expected = (total * (weights[id] ?? 0)) / weightSum;
      return sum + (count - expected) ** 2 / expected;
    }, 0);
    // 7 degrees of freedom: a fair sampler exceeds 18.48 once in a hundred seeds.
    expect(chiSquare).toBeLessThan(18.48);
  });

  it('repeats itself for a seed and differs between seeds', () => {
    const run = (seed: number): number[] => draws(50, LOGITS, { temperature: 1, seed });
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });

  it('gives a sequence the same tokens whatever batch it shares, and its neighbours others', () => {
    const options = { temperature: 1, seed: 5 };
    const alone = draws(30, LOGITS, options, { sequenceIndex: 1 });
    const workspace = new SamplingWorkspace();
    const samplers = [0, 1, 2].map((sequenceIndex) =>
      createSampler(resolveSamplingOptions(options), { sequenceIndex, workspace }),
    );
    const scores = Float32Array.from(LOGITS);
    const together = Array.from({ length: 30 }, () =>
      samplers.map((s) => s.sample(scores, NO_HISTORY).tokenId),
    );
    expect(together.map((row) => row[1])).toEqual(alone);
    expect(together.map((row) => row[0])).not.toEqual(alone);
  });

  it('leaves the logits as they are', () => {
    const logits = Float32Array.from(LOGITS);
    const options = resolveSamplingOptions({ temperature: 0.5, topK: 2, repetitionPenalty: 1.5 });
    createSampler(options).sample(logits, { promptIds: [0], generatedIds: [1] });
    expect([...logits]).toEqual(LOGITS);
  });

  it("reports the model's own log-probability when asked", () => {
    const options = resolveSamplingOptions({ temperature: 0.1, topK: 1, logitBias: { 1: 9 } });
    const sampler = createSampler(options, { logprobs: true });
    // Raw logits ln 1, ln 3: token 1 has probability 3/4 whatever the bias.
    const { tokenId, logprob } = sampler.sample(Float32Array.of(0, Math.log(3)), NO_HISTORY);
    expect(tokenId).toBe(1);
    expect(logprob).toBeCloseTo(Math.log(0.75), 6);
  });

  it('copes with a vocabulary of 150 000 equal logits', () => {
    const logits = new Float32Array(150_000).fill(0.25);
    const sampler = createSampler(resolveSamplingOptions({ temperature: 1, topK: 40, topP: 0.5, seed: 3 }));
    // All of them tie for the top 40, so all stay; half of the probability is the lower half of the ids.
    for (let i = 0; i < 20; i++) expect(sampler.sample(logits, NO_HISTORY).tokenId).toBeLessThan(75_001);
  });
});
