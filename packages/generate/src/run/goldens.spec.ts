// The reference implementation's tokens and logits, whatever the budget, the read-ahead and the batch.

import { generate, openModel, readCase, safetensorsCases } from '../../test/cases.js';

/** Issue 2: max |difference| below this part of the logits' standard deviation. */
const LOGIT_TOLERANCE = 2e-3;

function deviation(actual: Float32Array, reference: Float32Array): number {
  let worst = 0;
  let sum = 0;
  let squares = 0;
  reference.forEach((value, i) => {
    worst = Math.max(worst, Math.abs(value - (actual[i] ?? NaN)));
    sum += value;
    squares += value * value;
  });
  const mean = sum / reference.length;
  return worst / Math.sqrt(squares / reference.length - mean * mean);
}

const budgets = [
  ['all weights', 1],
  ['half of the weights', 0.5],
  ['the smallest budget', 0],
] as const;

describe.each(safetensorsCases)('%s', (name) => {
  it('has the reference’s logits for every token of every prompt', async () => {
    const golden = await readCase(name);
    await using opened = await openModel(golden, { share: 0 });
    for (const [i, { input_ids }] of golden.prompts.entries()) {
      const logits = await opened.model.logits(input_ids);
      const reference = await golden.readLogits(i);
      expect(logits).toHaveLength(reference.length);
      expect(deviation(logits, reference)).toBeLessThan(LOGIT_TOLERANCE);
    }
  });

  it.each(budgets)('continues every prompt as the reference does, alone: %s', async (_, share) => {
    const golden = await readCase(name);
    await using opened = await openModel(golden, { share });
    for (const { input_ids, greedy } of golden.prompts)
      expect(await generate(opened.model, [input_ids])).toEqual([greedy]);
  });

  it.each(budgets.flatMap(([label, share]) => [true, false].map((on) => [label, on, share] as const)))(
    'continues all prompts in one ragged batch: %s, prefetch %s',
    async (_, prefetch, share) => {
      const golden = await readCase(name);
      await using opened = await openModel(golden, { share, prefetch });
      const ids = await generate(
        opened.model,
        golden.prompts.map(({ input_ids }) => input_ids),
      );
      expect(ids).toEqual(golden.prompts.map(({ greedy }) => greedy));
      expect(opened.held).toMatchObject({ runs: 0, leases: 0 });
    },
  );
});
