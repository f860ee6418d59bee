// Models as layer shards, through the public API: made on first use, used again, and whole without the originals.

import { cp, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoModelFolder } from '@airllm/demo-model';
import { caseNames, fixturesFolder, readGoldenPrompts } from '@airllm/fixtures';
import { AutoModel, shardModel, type FromPretrainedOptions } from '../src/index.js';

const QUESTION = 'The capital of France is';
const options = { maxNewTokens: 24, ignoreEos: true };
/** Already in fewer bytes than bf16, so that there is nothing to pack but their heads. */
const QUANTIZED = /-(?:nf4|fp4|gptq|awq|fp8\S*|mxfp4)$/;

let base: string;
beforeAll(async () => void (base = await mkdtemp(join(tmpdir(), 'airllm-core-shards-'))));
afterAll(() => rm(base, { recursive: true, force: true }));

async function answer(model: string, more: FromPretrainedOptions = {}): Promise<string> {
  await using opened = await AutoModel.fromPretrained(model, { onNotice: () => undefined, ...more });
  return (await opened.generate(QUESTION, { maxNewTokens: 8 })).text;
}

async function copyOfDemo(name: string): Promise<string> {
  const folder = join(base, name);
  await cp(demoModelFolder, folder, { recursive: true });
  return folder;
}

describe.each(caseNames.filter((name) => !QUANTIZED.test(name)))('%s in lossless shards', (name) => {
  it('continues as the reference does', async () => {
    const folder = join(base, name);
    const layerShardsSavingPath = folder;
    await using model = await AutoModel.fromPretrained(join(fixturesFolder, name), {
      ...{ compression: 'lossless', layerShardsSavingPath, onNotice: () => undefined },
    });
    for (const { input_ids: inputIds, greedy } of readGoldenPrompts(name)) {
      expect((await model.generate({ inputIds }, options)).tokenIds).toEqual(greedy);
    }
  });
});

describe('compression', () => {
  it.each(['4bit', '8bit', 'int8', 'int4', 'lossless'] as const)(
    '%s: made once, then used',
    async (compression) => {
      const folder = await copyOfDemo(compression);
      const notices: string[] = [];
      const onNotice = (line: string): void => void notices.push(line);
      expect(await answer(folder, { compression, onNotice })).toContain('Paris');
      expect(notices.filter((line) => line.includes('sharding'))).toHaveLength(1);
      const shard = join(folder, `airllm.${compression}`, 'layer-0.safetensors');
      const before = (await stat(shard, { bigint: true })).ctimeNs;
      notices.length = 0;
      expect(await answer(folder, { compression, onNotice })).toContain('Paris');
      expect(notices).toEqual([]);
      expect((await stat(shard, { bigint: true })).ctimeNs).toBe(before);
      // The folder of shards is a model of its own.
      expect(await answer(join(folder, `airllm.${compression}`))).toContain('Paris');
      const plan = await AutoModel.plan(folder, { compression });
      expect(plan.weightBytes).toBeLessThan((await AutoModel.plan(folder)).weightBytes);
    },
  );

  it('is not planned before there are shards', async () => {
    const folder = await copyOfDemo('unplanned');
    await expect(AutoModel.plan(folder, { compression: '8bit' })).rejects.toMatchObject({
      code: 'NOT_SHARDED',
    });
  });

  it('refuses a GGUF file', async () => {
    await expect(AutoModel.fromPretrained('model.gguf', { compression: '4bit' })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    });
  });
});

describe('deleteOriginal', () => {
  it('leaves a model that still loads, by its own name and without options', async () => {
    const folder = await copyOfDemo('deleted');
    const compression = '8bit';
    const expected = await answer(folder, { compression });
    const { deleted } = await shardModel(folder, { format: '8bit', deleteOriginal: true });
    expect(deleted.length).toBeGreaterThan(0);
    expect((await readdir(folder)).filter((name) => name.endsWith('.safetensors'))).toEqual([]);
    expect(await answer(folder, { compression })).toBe(expected);
    expect(await answer(folder, { compression, deleteOriginal: true })).toBe(expected);
    expect(await answer(folder)).toBe(expected);
  });
});
