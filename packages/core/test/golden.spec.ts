// Every golden case end to end through the public API: greedy ids of the reference implementation for every
// prompt, alone and in one ragged batch, and its logits.

import { join } from 'node:path';
import { caseNames, fixturesFolder, readGoldenPrompts } from '@airllm/fixtures';
import { readHeader, readTensor } from 'safetensors-js';
import { AutoModel } from '../src/index.js';

/** Of the standard deviation of the reference's logits; stated in the fixtures' README. */
const LOGIT_TOLERANCE = 2e-3;

describe.each(caseNames)('%s', (name) => {
  const folder = join(fixturesFolder, name);
  const prompts = readGoldenPrompts(name);
  const options = { maxNewTokens: 24, ignoreEos: true };

  it('continues every prompt as the reference does, and all of them in one batch', async () => {
    await using model = await AutoModel.fromPretrained(folder);
    for (const { input_ids: inputIds, greedy } of prompts) {
      const { tokenIds, finishReason } = await model.generate({ inputIds }, options);
      expect(tokenIds).toEqual(greedy);
      expect(finishReason).toBe('length');
    }
    const batch = await model.generate({ inputIds: prompts.map((prompt) => prompt.input_ids) }, options);
    expect(batch.map((result) => result.tokenIds)).toEqual(prompts.map((prompt) => prompt.greedy));
  });

  it('computes the logits of the reference', async () => {
    await using model = await AutoModel.fromPretrained(folder);
    const goldenFile = join(folder, 'golden.safetensors');
    const { tensors } = await readHeader(goldenFile);
    for (const [i, { input_ids: inputIds }] of prompts.entries()) {
      const tensor = tensors.get(`logits.${i}`);
      if (!tensor) throw new Error(`no logits.${i} in ${goldenFile}`);
      const bytes = await readTensor(goldenFile, tensor);
      const expected = new Float32Array(
        bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
      );
      const { data, shape } = await model.logits(inputIds);
      expect(shape).toEqual(tensor.shape);
      expect(largestDifference(data, expected) / standardDeviation(expected)).toBeLessThan(LOGIT_TOLERANCE);
    }
  });
});

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((max, value, i) => Math.max(max, Math.abs(value - (b[i] ?? NaN))), 0);
}

function standardDeviation(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
