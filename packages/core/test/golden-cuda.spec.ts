// Models end to end on CUDA's emulated device: greedy ids of the reference implementation, alone and in one ragged batch. Four
// families whose ops differ most: capped scores, latent attention, sinks with packed experts, recurrent states.

import { jest } from '@jest/globals';
import { join } from 'node:path';
import { createEmulatedBackend } from '@airllm/cuda-backend/emulated';
import { fixturesFolder, readGoldenPrompts } from '@airllm/fixtures';

// The emulated device takes the place of the GPU where core opens one; all else is what a GPU would get.
jest.unstable_mockModule('@airllm/cuda-backend', () => ({ createCudaBackend: createEmulatedBackend }));
jest.unstable_mockModule('../src/devices/try-in-child.js', () => ({
  tryInChild: () => Promise.resolve({ works: true, name: 'emulated', isSoftware: false }),
}));
const { AutoModel } = await import('../src/index.js');
const { tryDevice } = await import('../src/devices/try-device.js');

const FAMILIES = ['gemma2', 'deepseek-v2', 'gpt-oss-mxfp4', 'qwen3-next'];

const opened = await createEmulatedBackend().catch(String);
if (typeof opened === 'string') console.warn(`models on cuda skipped: ${opened}`);
else await opened[Symbol.asyncDispose]();

(typeof opened === 'string' ? describe.skip : describe).each(FAMILIES)('%s on cuda', (name) => {
  it('continues every prompt as the reference does, and all of them in one batch', async () => {
    const prompts = readGoldenPrompts(name);
    const options = { maxNewTokens: 24, ignoreEos: true };
    await using model = await AutoModel.fromPretrained(join(fixturesFolder, name), { device: 'cuda' });
    expect(model.device).toMatch(/^CUDA, /);
    for (const { input_ids: inputIds, greedy } of prompts) {
      const { tokenIds } = await model.generate({ inputIds }, options);
      expect(tokenIds).toEqual(greedy);
    }
    const batch = await model.generate({ inputIds: prompts.map((prompt) => prompt.input_ids) }, options);
    expect(batch.map((result) => result.tokenIds)).toEqual(prompts.map((prompt) => prompt.greedy));
  });
});

(typeof opened === 'string' ? it.skip : it)('computes the product that a device is tried with', async () => {
  const answer = await tryDevice({
    device: 'cuda',
    platforms: ['linux'],
    probe: () => Promise.resolve({ available: true, name: 'emulated', isSoftware: false }),
    open: ({ memoryBytes = 0 }) => createEmulatedBackend({ memoryBytes }),
  });
  expect(answer).toEqual({ works: true, name: 'emulated', isSoftware: false });
});
