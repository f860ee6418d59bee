// Phi-3's longrope where a sequence crosses the original length while it grows: the reference's own ids up to the
// token that crosses, then those of whole forward passes (docs/decisions/2026-11-25-longrope-crossing.md).

import { join } from 'node:path';
import { caseNames, fixturesFolder, readGoldenPrompts, readStoredPrompts } from '@airllm/fixtures';
import { AutoModel } from '../src/index.js';

const name = 'phi3-longrope';
/** `original_max_position_embeddings` of its config. */
const ORIGINAL_LENGTH = 16;
/** Ids that follow from a context of at most the original length; the last of them is the token that crosses. */
const idsBeforeCrossing = (promptTokens: number): number => ORIGINAL_LENGTH - promptTokens + 1;

const stored = readStoredPrompts(name);
const whole = readGoldenPrompts(name);
const options = { maxNewTokens: 24, ignoreEos: true };

it.each([
  [0, 16],
  [1, 10],
] as const)('prompt %i: the stored ids up to the crossing, then those of whole passes', async (i, shared) => {
  const inputIds = stored[i]?.input_ids ?? [];
  expect(shared).toBe(idsBeforeCrossing(inputIds.length));
  await using model = await AutoModel.fromPretrained(join(fixturesFolder, name));
  const { tokenIds } = await model.generate({ inputIds }, options);
  expect(tokenIds.slice(0, shared)).toEqual(stored[i]?.greedy.slice(0, shared));
  expect(tokenIds).toEqual(whole[i]?.greedy);
});

it('prompt 2 starts beyond the original length: the stored ids to the end', async () => {
  const [, , prompt] = stored;
  const inputIds = prompt?.input_ids ?? [];
  expect(inputIds.length).toBeGreaterThan(ORIGINAL_LENGTH);
  await using model = await AutoModel.fromPretrained(join(fixturesFolder, name));
  expect((await model.generate({ inputIds }, options)).tokenIds).toEqual(prompt?.greedy);
});

it('every id is that of the logits of one pass over all tokens before it', async () => {
  await using model = await AutoModel.fromPretrained(join(fixturesFolder, name));
  for (const { input_ids: inputIds, greedy } of whole) {
    const ids = [...inputIds, ...greedy];
    // The last row of the logits of a whole pass, on both sides of the crossing.
    for (const length of [ORIGINAL_LENGTH, ORIGINAL_LENGTH + 1, ORIGINAL_LENGTH + 2, ids.length - 1]) {
      if (length < inputIds.length) continue;
      const { data, shape } = await model.logits(ids.slice(0, length));
      const last = data.subarray(data.length - (shape[1] ?? 0));
      expect(last.indexOf(Math.max(...last))).toBe(ids[length]);
    }
  }
});

it('no other case has ids beside the stored ones', () => {
  for (const other of caseNames.filter((it) => it !== name))
    expect(readGoldenPrompts(other)).toEqual(readStoredPrompts(other));
});
