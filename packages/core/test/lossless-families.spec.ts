// Golden cases with every bfloat16 tensor packed, bit for bit: fused and input-major experts, convolutions, expansions of
// latent attention, sinks, norms of many rows. The tokens are those of the reference.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixturesFolder, readGoldenPrompts } from '@airllm/fixtures';
import { AutoModel } from '../src/index.js';
import { compressCheckpoint } from './compress-checkpoint.js';

const CASES = [
  'llama3-gqa',
  'llama-tied',
  'llama4-text',
  'cohere',
  'deepseek-v2',
  'deepseek-v3',
  'falcon',
  'gpt-neox',
  'gpt-oss',
  'internlm2',
  'mixtral',
  'olmo2',
  'phi3',
  'qwen2-moe',
  'qwen3-next',
];

let temporary: string;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'airllm-lossless-'));
});
afterAll(() => rm(temporary, { recursive: true }));

it.each(CASES)('%s', async (name) => {
  const original = join(fixturesFolder, name);
  const packed = join(temporary, name);
  await compressCheckpoint(original, packed, { format: 'lossless' });
  const notices: string[] = [];
  const onNotice = (line: string): void => void notices.push(line);
  await using model = await AutoModel.fromPretrained(packed, { onNotice });
  expect(model.plan.weightBytes).toBeLessThan(0.9 * (await AutoModel.plan(original)).weightBytes);
  expect(notices.filter((line) => line.includes('not read'))).toEqual([]);
  for (const { input_ids: inputIds, greedy } of readGoldenPrompts(name)) {
    const { tokenIds } = await model.generate({ inputIds }, { maxNewTokens: 24, ignoreEos: true });
    expect(tokenIds).toEqual(greedy);
  }
});
