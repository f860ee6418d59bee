import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadTokenizer, type TokenizerSource } from './load-tokenizer.js';

const DATA =
  process.env['AIRLLM_SHARED_DATA'] ?? fileURLToPath(new URL('../../../../../shared/data', import.meta.url));
const DEMO = fileURLToPath(new URL('../../../demo-model', import.meta.url));

function folderSource(folder: string): TokenizerSource {
  const readText = async (name: string): Promise<string | undefined> =>
    existsSync(join(folder, name)) ? readFile(join(folder, name), 'utf8') : undefined;
  return {
    id: folder,
    folder,
    readText,
    async readJson(name) {
      const text = await readText(name);
      return text === undefined ? undefined : (JSON.parse(text) as unknown);
    },
  };
}

function memorySource(files: Record<string, unknown>): TokenizerSource {
  return {
    id: 'memory',
    readJson: (name) => Promise.resolve(files[name]),
    readText: () => Promise.resolve(undefined),
  };
}

async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'airllm-tokenizer-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, 'latin1');
  return folder;
}

/** Loud skip for data that lies outside the repository. */
function withData(path: string): { folder: string; test: typeof it } {
  const folder = join(DATA, path);
  const present = existsSync(folder);
  if (!present) console.warn(`tokenizer: skipped, ${folder} is not there (set AIRLLM_SHARED_DATA)`);
  return { folder, test: present ? it : it.skip };
}

describe('the demo model', () => {
  interface Golden {
    cases: { kind: string; prompt: string; input_ids: number[]; continuation_ids: number[]; text: string }[];
  }
  const load = () => loadTokenizer(folderSource(join(DEMO, 'model')));

  it('encodes chats and texts to the ids transformers gives, and decodes the answers', async () => {
    const golden = JSON.parse(await readFile(join(DEMO, 'golden.json'), 'utf8')) as Golden;
    const tokenizer = await load();
    expect(golden.cases.length).toBeGreaterThan(0);
    for (const { kind, prompt, input_ids, continuation_ids, text } of golden.cases) {
      const ids =
        kind === 'chat'
          ? tokenizer.encodeChat([{ role: 'user', content: prompt }])
          : tokenizer.encode(prompt);
      expect(ids).toEqual(input_ids);
      expect(tokenizer.decode(continuation_ids).trim()).toBe(text.trim());
    }
  });

  it('knows its special tokens', async () => {
    const tokenizer = await load();
    expect(tokenizer.bosTokenId).toBeUndefined();
    expect(tokenizer.eosTokenIds).toEqual([2]);
    expect([...tokenizer.specialIds].sort()).toEqual([0, 1, 2]);
    expect(tokenizer.hasChatTemplate).toBe(true);
  });

  it('gives special tokens in a text their single ids, and shows them only when asked', async () => {
    const tokenizer = await load();
    const ids = tokenizer.encode('<|im_start|>hi<|im_end|>');
    expect([ids[0], ids.at(-1)]).toEqual([1, 2]);
    expect(tokenizer.decode(ids)).toBe('hi');
    expect(tokenizer.decode(ids, { skipSpecialTokens: false })).toBe('<|im_start|>hi<|im_end|>');
  });

  it('passes over ids that stand for no token, and decodes nothing to nothing', async () => {
    const tokenizer = await load();
    expect(tokenizer.decode([1_000_000, -1])).toBe('');
    expect(tokenizer.decode([])).toBe('');
  });
});

describe('stories260K (SentencePiece)', () => {
  const { folder, test } = withData('models/stories260k-hf-f32');

  test('decodes the reference ids to the reference text', async () => {
    const reference = join(DATA, 'models/stories260k');
    const { ids } = JSON.parse(await readFile(join(reference, 'greedy_ids.json'), 'utf8')) as {
      ids: number[];
    };
    const expected = await readFile(join(reference, 'expected_stdout_t0_n200.txt'), 'utf8');
    const tokenizer = await loadTokenizer(folderSource(folder));
    expect(tokenizer.decode(ids).trim()).toBe(expected.trim());
  });

  test('puts BOS before a text once, and not before one that already writes it', async () => {
    const tokenizer = await loadTokenizer(folderSource(folder));
    expect(tokenizer.bosTokenId).toBe(1);
    expect(tokenizer.encode('Once').filter((id) => id === 1)).toEqual([1]);
    expect(tokenizer.encode('<s>Once', { addSpecialTokens: false }).filter((id) => id === 1)).toEqual([1]);
    expect(tokenizer.encode('Once', { addSpecialTokens: false })).not.toContain(1);
  });

  test('obeys add_bos_token where transformers does', async () => {
    const files = folderSource(folder);
    const load = (config: Record<string, unknown>) =>
      loadTokenizer({
        ...files,
        readJson: (name) =>
          name === 'tokenizer_config.json' ? Promise.resolve(config) : files.readJson(name),
      });
    const llama = await load({
      tokenizer_class: 'LlamaTokenizerFast',
      add_bos_token: false,
      bos_token: '<s>',
    });
    expect(llama.encode('Once')).not.toContain(1);
    const generic = await load({
      tokenizer_class: 'PreTrainedTokenizerFast',
      add_bos_token: false,
      bos_token: '<s>',
    });
    expect(generic.encode('Once')[0]).toBe(1);
  });
});

describe('GPT-2 (byte-level BPE)', () => {
  const { folder, test } = withData('tokenizers/gpt2');

  test('encodes the llama.cpp test texts to the ids of the reference tokenizer, and back', async () => {
    const vectors = join(DATA, 'ggml-vocab/ggml-vocab-gpt-2.gguf');
    const texts = (await readFile(`${vectors}.inp`, 'utf8')).split('\n__ggml_vocab_test__\n');
    const lines = (await readFile(`${vectors}.out`, 'utf8')).split('\n');
    const tokenizer = await loadTokenizer(folderSource(folder));
    expect(texts.length).toBeGreaterThan(40);
    texts.forEach((text, i) => {
      const expected = (lines[i] ?? '').trim().split(/\s+/).filter(Boolean).map(Number);
      expect(tokenizer.encode(text)).toEqual(expected);
      expect(tokenizer.decode(expected)).toBe(text);
    });
  });
});

describe('a DeepSeek-style checkpoint', () => {
  it('gets BOS from add_bos_token when tokenizer.json does not add it', async () => {
    const tokenizer = await loadTokenizer(
      memorySource({
        'tokenizer.json': {
          added_tokens: [{ id: 0, content: '<bos>', special: true, normalized: false }],
          normalizer: null,
          pre_tokenizer: null,
          post_processor: null,
          decoder: null,
          model: { type: 'BPE', vocab: { '<bos>': 0, a: 1, b: 2 }, merges: [] },
        },
        'tokenizer_config.json': {
          tokenizer_class: 'LlamaTokenizerFast',
          add_bos_token: true,
          bos_token: '<bos>',
        },
      }),
    );
    expect(tokenizer.encode('ab')).toEqual([0, 1, 2]);
    expect(tokenizer.encode('ab', { addSpecialTokens: false })).toEqual([1, 2]);
  });
});

describe('a checkpoint whose tokenizer cannot be used', () => {
  it('names the files it looked for', async () => {
    await expect(loadTokenizer(memorySource({}))).rejects.toMatchObject({
      code: 'MISSING_TOKENIZER',
      message: expect.stringContaining('tokenizer.json') as string,
      fields: { found: [] },
    });
  });

  it('names a tokenizer file of a format that is not supported', async () => {
    const folder = await folderWith({ 'tekken.json': '{}' });
    await expect(loadTokenizer(folderSource(folder))).rejects.toMatchObject({
      code: 'MISSING_TOKENIZER',
      message: expect.stringContaining('tekken.json, which is not supported') as string,
      fields: { found: ['tekken.json'] },
    });
    await rm(folder, { recursive: true });
  });

  it('refuses a family it has no rules for by name, so that the model still takes token ids', async () => {
    const folder = await folderWith({
      'vocab.json': '{"a":0}',
      'merges.txt': '',
      'tokenizer_config.json': '{"tokenizer_class":"XyzTokenizer"}',
    });
    await expect(loadTokenizer(folderSource(folder))).rejects.toMatchObject({
      code: 'MISSING_TOKENIZER',
      message: expect.stringContaining('XyzTokenizer') as string,
    });
    await rm(folder, { recursive: true });
  });

  it.each([
    ['an empty tokenizer.model', { 'tokenizer.model': '' }],
    ['a cut tokenizer.model', { 'tokenizer.model': '\n\x0e\n\x05<unk' }],
    ['a tokenizer.model that is a page of text', { 'tokenizer.model': '<!doctype html><html></html>' }],
    ['ranks that are no base64', { 'qwen.tiktoken': 'IQ== 0\n???? 1\n' }],
    [
      'merges that make no token',
      { 'vocab.json': '{"a":0,"b":1}', 'merges.txt': 'a b\n', 'config.json': '{"model_type":"gpt2"}' },
    ],
  ])('reports %s', async (_, files: Record<string, string>) => {
    const folder = await folderWith(files);
    await expect(loadTokenizer(folderSource(folder))).rejects.toMatchObject({ code: 'INVALID_TOKENIZER' });
    await rm(folder, { recursive: true });
  });

  it('reports a vocabulary file of more than 64 MiB without reading it', async () => {
    const folder = await folderWith({ 'tokenizer.model': '' });
    await truncate(join(folder, 'tokenizer.model'), 2 ** 33);
    await expect(loadTokenizer(folderSource(folder))).rejects.toMatchObject({
      code: 'INVALID_TOKENIZER',
      fields: { size: 2 ** 33 },
    });
    await rm(folder, { recursive: true });
  });

  it.each([
    ['a list', []],
    ['no model', { added_tokens: [] }],
    ['text', 'x'],
  ])('reports %s', async (_, json) => {
    await expect(loadTokenizer(memorySource({ 'tokenizer.json': json }))).rejects.toMatchObject({
      code: 'INVALID_TOKENIZER',
    });
  });
});
