/** @jest-environment @airllm/jest-preset/swiftshader-environment */
// Every golden case end to end on WebGPU: greedy ids of the reference implementation, one prompt alone and all of them in one
// ragged batch. A software GPU takes a tenth of a second for a token, so most cases go a few tokens only: as far as prompts of
// many rows, then passes of several rows and of one.

import { join } from 'node:path';
import { caseNames, fixturesFolder, readGoldenPrompts } from '@airllm/fixtures';
import { probeWebGpu } from '@airllm/webgpu-backend';
import { AutoModel } from '../src/index.js';

const FEW_TOKENS = 6;
const ALL_TOKENS = 24;
/** The cases whose ops differ most go all the way: capped scores, latent attention, packed experts, recurrent states. */
const WHOLE = ['gemma2', 'deepseek-v2', 'gpt-oss-mxfp4', 'qwen3-next'];

const probe = await probeWebGpu();
if (!probe.available) console.warn(`models on webgpu skipped: ${probe.reason}`);

(probe.available ? describe : describe.skip).each(caseNames)('%s on webgpu', (name) => {
  it('continues a prompt alone and all prompts in one batch as the reference does', async () => {
    const maxNewTokens = WHOLE.includes(name) ? ALL_TOKENS : FEW_TOKENS;
    const options = { maxNewTokens, ignoreEos: true };
    const prompts = readGoldenPrompts(name).map(({ input_ids: inputIds, greedy }) => ({
      inputIds,
      expected: greedy.slice(0, maxNewTokens),
    }));
    await using model = await AutoModel.fromPretrained(join(fixturesFolder, name), {
      device: 'webgpu',
      onNotice: () => undefined,
    });
    expect(model.device).toMatch(/^WebGPU, /);
    for (const { inputIds, expected } of prompts.slice(0, 1)) {
      const { tokenIds } = await model.generate({ inputIds }, options);
      expect(tokenIds).toEqual(expected);
    }
    const batch = await model.generate({ inputIds: prompts.map(({ inputIds }) => inputIds) }, options);
    expect(batch.map(({ tokenIds }) => tokenIds)).toEqual(prompts.map(({ expected }) => expected));
  });
});

it('has the cases that go all the way', () => {
  expect(caseNames).toEqual(expect.arrayContaining(WHOLE));
});
