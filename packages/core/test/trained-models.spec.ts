// Models that were trained, by others and for this project: their text is known.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { demoModelFolder } from '@airllm/demo-model';
import { AutoModel } from '../src/index.js';

const here = dirname(fileURLToPath(import.meta.url));
const models = join(process.env['AIRLLM_SHARED_DATA'] ?? join(here, '../../../../shared/data'), 'models');

interface DemoGolden {
  cases: {
    kind: 'chat' | 'plain';
    prompt: string;
    input_ids: number[];
    continuation_ids: number[];
    ignore_eos_ids: number[];
    text: string;
    stopped_at_eos: boolean;
  }[];
}

describe('the embedded model', () => {
  const golden = JSON.parse(
    readFileSync(join(dirname(demoModelFolder), 'golden.json'), 'utf8'),
  ) as DemoGolden;

  it.each(golden.cases)('continues $kind "$prompt" as transformers does', async (example) => {
    const {
      kind,
      prompt,
      input_ids: inputIds,
      continuation_ids: expectedIds,
      stopped_at_eos: stopped,
    } = example;
    await using model = await AutoModel.fromPretrained(demoModelFolder);
    const messages = [{ role: 'user', content: prompt }];
    expect(kind === 'chat' ? model.tokenizer.encodeChat(messages) : model.tokenizer.encode(prompt)).toEqual(
      inputIds,
    );
    const result = await model.generate(kind === 'chat' ? { messages } : prompt, { maxNewTokens: 40 });
    expect(result.tokenIds).toEqual(expectedIds);
    expect(result.text).toBe(example.text);
    expect(result.finishReason).toBe(stopped ? 'eos' : 'length');
    const on = await model.generate({ inputIds }, { maxNewTokens: 40, ignoreEos: true });
    expect(on.tokenIds).toEqual(example.ignore_eos_ids);
  });
});

describe('stories260K', () => {
  const reference = join(models, 'stories260k');
  const run = existsSync(reference) ? it : it.skip;
  if (run === it.skip)
    console.warn(`stories260K: skipped, ${reference} is not there (set AIRLLM_SHARED_DATA)`);

  // 200 steps from BOS: the text that llama2.c prints. bf16 rounds the weights, so its text is its own.
  run.each(['stories260k-hf-f32', 'stories260k-hf-f16'])(
    '%s tells the story that llama2.c tells',
    async (name) => {
      await using model = await AutoModel.fromPretrained(join(models, name));
      const { text, tokenIds } = await model.generate('', { maxNewTokens: 200, ignoreEos: true });
      expect(text).toBe(readFileSync(join(reference, 'expected_stdout_t0_n200.txt'), 'utf8'));
      const { ids } = JSON.parse(readFileSync(join(reference, 'greedy_ids.json'), 'utf8')) as {
        ids: number[];
      };
      expect(tokenIds).toEqual(ids.slice(1));
    },
  );

  run('runs from three bf16 shards, and begins the same', async () => {
    await using model = await AutoModel.fromPretrained(join(models, 'stories260k-hf-bf16-3shards'));
    const { text } = await model.generate('', { maxNewTokens: 30 });
    expect(text).toMatch(/^Once upon a time, there was a little girl named Lily\. She loved to play/);
  });
});
