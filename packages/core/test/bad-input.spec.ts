// What is refused, how it is said, and that nothing is left behind.

import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixturesFolder } from '@airllm/fixtures';
import { demoModelFolder } from '@airllm/demo-model';
import { readHeader } from 'safetensors-js';
import { AirllmError, AutoModel } from '../src/index.js';

const CASE = join(fixturesFolder, 'llama3-gqa');
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'airllm-bad-input-'));
  await cp(CASE, folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

async function codeOf(
  action: () => Promise<unknown>,
): Promise<{ code: string; message: string; fields: object }> {
  try {
    await action();
  } catch (error) {
    if (!AirllmError.isInstance(error) && !(error instanceof Error && 'code' in error)) throw error;
    const { code, message, fields } = error as AirllmError;
    return { code, message, fields };
  }
  throw new Error('Expected an error but there was none');
}

async function editConfig(change: Record<string, unknown>): Promise<void> {
  const path = join(folder, 'config.json');
  await writeFile(
    path,
    JSON.stringify({ ...(JSON.parse(await readFile(path, 'utf8')) as object), ...change }),
  );
}

/** Rewrites the header of model.safetensors, keeping its length. */
async function editHeader(edit: (text: string) => string): Promise<void> {
  const path = join(folder, 'model.safetensors');
  const file = await readFile(path);
  const length = Number(file.readBigUInt64LE(0));
  const edited = edit(file.toString('utf8', 8, 8 + length));
  file.write(edited.padEnd(length), 8);
  await writeFile(path, file);
}

describe('opening', () => {
  it('refuses a truncated file', async () => {
    await truncate(join(folder, 'model.safetensors'), 200_000);
    expect((await codeOf(() => AutoModel.fromPretrained(folder))).message).toContain('model.safetensors');
  });

  it('refuses a missing tensor by name and shape', async () => {
    await editHeader((text) =>
      text.replace('model.layers.1.mlp.up_proj.weight', 'model.layers.1.mlp.uq_proj.weight'),
    );
    const { code, message } = await codeOf(() => AutoModel.fromPretrained(folder));
    expect(code).toBe('MISSING_TENSOR');
    expect(message).toContain('model.layers.1.mlp.up_proj.weight with shape [128, 64]');
  });

  it('refuses a wrong shape by name, expected and found', async () => {
    await editConfig({ intermediate_size: 120 });
    const { code, fields } = await codeOf(() => AutoModel.fromPretrained(folder));
    expect(code).toBe('WRONG_SHAPE');
    expect(fields).toMatchObject({ expectedShape: [120, 64], foundShape: [128, 64] });
  });

  it('refuses a dtype that no op can read', async () => {
    await editHeader((text) => text.replaceAll('"BF16"', '"I16"'));
    const { code, message } = await codeOf(() => AutoModel.fromPretrained(folder));
    expect(code).toBe('UNSUPPORTED_DTYPE');
    expect(message).toContain('I16');
  });

  it('refuses an unknown architecture with the list of those it knows', async () => {
    await editConfig({ architectures: ['MambaForCausalLM'], model_type: 'mamba' });
    const { code, message } = await codeOf(() => AutoModel.fromPretrained(folder));
    expect(code).toBe('UNSUPPORTED_ARCHITECTURE');
    expect(message).toContain('MambaForCausalLM');
    expect(message).toContain('LlamaForCausalLM');
  });

  it('refuses an index that names a file outside the folder', async () => {
    await writeFile(
      join(folder, 'model.safetensors.index.json'),
      JSON.stringify({ metadata: {}, weight_map: { 'model.norm.weight': '../model.safetensors' } }),
    );
    await rm(join(folder, 'model.safetensors'));
    const { message } = await codeOf(() => AutoModel.fromPretrained(folder));
    expect(message).toContain('../model.safetensors');
  });

  it('refuses a budget that is too small, and the figure it names is enough', async () => {
    const { code, fields } = await codeOf(() =>
      AutoModel.fromPretrained(demoModelFolder, { memory: { host: '20MB' } }),
    );
    expect(code).toBe('BUDGET_TOO_SMALL');
    const { minimumHostBytes } = fields as { minimumHostBytes: number };
    // The process itself may have grown since: that part is measured anew.
    const grown = 64e6;
    await using model = await AutoModel.fromPretrained(demoModelFolder, {
      memory: { host: minimumHostBytes + grown },
    });
    expect((await model.generate('The capital of France is', { maxNewTokens: 4 })).text).toContain('Paris');
  });

  it('refuses an option it does not know, and one that is not implemented yet', async () => {
    const typo = { prefetchin: true } as object;
    expect((await codeOf(() => AutoModel.fromPretrained(folder, typo))).message).toContain('prefetching');
    expect(await codeOf(() => AutoModel.fromPretrained(folder, { dtype: 'float16' }))).toMatchObject({
      code: 'NOT_YET',
      fields: { option: 'dtype' },
    });
  });
});

describe('running', () => {
  it('needs a tokenizer only for text', async () => {
    await using model = await AutoModel.fromPretrained(folder);
    const { code, message } = await codeOf(() => model.generate('hello'));
    expect(code).toBe('MISSING_TOKENIZER');
    expect(message).toContain('tokenizer.json');
    expect(
      (await model.generate({ inputIds: [5] }, { maxNewTokens: 2, ignoreEos: true })).tokenIds,
    ).toHaveLength(2);
  });

  it('refuses a prompt longer than the context and stays usable', async () => {
    await using model = await AutoModel.fromPretrained(folder, { maxSeqLen: 16 });
    const inputIds = Array.from({ length: 16 }, () => 7);
    expect(await codeOf(() => model.generate({ inputIds }))).toMatchObject({
      code: 'CONTEXT_OVERFLOW',
      fields: { promptTokens: 16, maxSequenceTokens: 16 },
    });
    const { tokenIds, finishReason } = await model.generate(
      { inputIds: inputIds.slice(1) },
      { ignoreEos: true },
    );
    expect(tokenIds).toHaveLength(1);
    expect(finishReason).toBe('length');
  });

  it('refuses ids outside the vocabulary, and prompts that are none', async () => {
    await using model = await AutoModel.fromPretrained(folder);
    expect((await codeOf(() => model.generate({ inputIds: [256] }))).code).toBe('INVALID_OPTION');
    expect((await codeOf(() => model.generate({ inputIds: [1.5] }))).code).toBe('INVALID_OPTION');
    expect((await codeOf(() => model.generate({ inputIds: [] }))).code).toBe('INVALID_OPTION');
    expect((await codeOf(() => model.generate([]))).code).toBe('INVALID_OPTION');
    expect((await codeOf(() => model.logits([]))).code).toBe('INVALID_OPTION');
  });

  it('refuses generation options it does not know', async () => {
    await using model = await AutoModel.fromPretrained(folder);
    const typo = { maxNewToken: 5 } as object;
    expect(await codeOf(() => model.generate({ inputIds: [5] }, typo))).toMatchObject({
      code: 'INVALID_OPTION',
      fields: { option: 'maxNewToken' },
    });
  });

  it('ends an aborted run with a typed error and stays usable', async () => {
    await using model = await AutoModel.fromPretrained(folder);
    const expected = await model.generate({ inputIds: [5, 6] }, { maxNewTokens: 8, ignoreEos: true });
    const controller = new AbortController();
    const aborted = codeOf(async () => {
      for await (const { tokenId } of model.stream(
        { inputIds: [5, 6] },
        { signal: controller.signal, ignoreEos: true },
      )) {
        if (tokenId >= 0) controller.abort();
      }
    });
    expect((await aborted).code).toBe('ABORTED');
    expect(await model.generate({ inputIds: [5, 6] }, { maxNewTokens: 8, ignoreEos: true })).toEqual(
      expected,
    );
  });

  it('closes while a stream is held open, and says so to whoever goes on', async () => {
    const model = await AutoModel.fromPretrained(folder);
    const stream = model.stream({ inputIds: [5] }, { ignoreEos: true });
    await stream.next();
    await model[Symbol.asyncDispose]();
    expect((await codeOf(() => stream.next())).code).toBe('ABORTED');
    expect((await codeOf(() => model.generate({ inputIds: [5] }))).code).toBe('MODEL_CLOSED');
    await model[Symbol.asyncDispose]();
  });

  it('names file and offset when the file shrinks during a run', async () => {
    const path = join(folder, 'model.safetensors');
    const { tensors } = await readHeader(path);
    await using model = await AutoModel.fromPretrained(folder);
    await truncate(path, tensors.get('model.layers.0.self_attn.q_proj.weight')?.byteOffset ?? 0);
    const { code, fields } = await codeOf(() => model.generate({ inputIds: [5] }));
    expect(code).toBe('READ_FAILED');
    expect(fields).toMatchObject({ path });
    await cp(join(CASE, 'model.safetensors'), path);
  });
});
