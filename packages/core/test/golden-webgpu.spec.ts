/** @jest-environment @airllm/jest-preset/swiftshader-environment */
// Models end to end on WebGPU: greedy ids of the reference implementation, alone and in one ragged batch. Four families
// whose ops differ most: capped scores, latent attention, sinks with packed experts, recurrent states.

import { join } from 'node:path';
import { fixturesFolder, readGoldenPrompts } from '@airllm/fixtures';
import { probeWebGpu } from '@airllm/webgpu-backend';
import { AutoModel } from '../src/index.js';

const FAMILIES = ['gemma2', 'deepseek-v2', 'gpt-oss-mxfp4', 'qwen3-next'];

const probe = await probeWebGpu();
if (!probe.available) console.warn(`models on webgpu skipped: ${probe.reason}`);

(probe.available ? describe : describe.skip).each(FAMILIES)('%s on webgpu', (name) => {
  it('continues every prompt as the reference does, and all of them in one batch', async () => {
    const prompts = readGoldenPrompts(name);
    const options = { maxNewTokens: 24, ignoreEos: true };
    await using model = await AutoModel.fromPretrained(join(fixturesFolder, name), { device: 'webgpu' });
    expect(model.device).toMatch(/^WebGPU, /);
    for (const { input_ids: inputIds, greedy } of prompts) {
      const { tokenIds } = await model.generate({ inputIds }, options);
      expect(tokenIds).toEqual(greedy);
    }
    const batch = await model.generate({ inputIds: prompts.map((prompt) => prompt.input_ids) }, options);
    expect(batch.map((result) => result.tokenIds)).toEqual(prompts.map((prompt) => prompt.greedy));
  });
});
