// Files written by llama.cpp's Python package: every tensor of the original checkpoint is found under its name, with its
// shape and its bytes, and the config describes the same model.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixturesFolder } from '@airllm/fixtures';
import { resolveModel } from '@airllm/model-zoo';
import { readHeader as readSafetensors, readTensor } from 'safetensors-js';
import { ggmlType } from '../src/ggml-types.js';
import { openGguf } from '../src/index.js';
import { expected, fixtures } from './expected.js';
import { Type, writeGguf } from './write-gguf.js';

const FILES = [
  ['llama3-gqa', 'llama3-gqa-bf16.gguf', 'BF16'],
  ['mixtral', 'mixtral-bf16.gguf', 'BF16'],
  ['qwen2', 'qwen2-bf16-00001-of-00002.gguf', 'BF16'],
  ['qwen3', 'qwen3-q8_0.gguf', 'Q8_0'],
  ['llama-tied', 'llama-tied-q4_0.gguf', 'Q4_0'],
] as const;

const configOf = (name: string) =>
  JSON.parse(readFileSync(join(fixturesFolder, name, 'config.json'), 'utf8')) as Record<string, unknown>;

describe.each(FILES)('%s as %s', (name, file, dtype) => {
  it('has the tensors of the original, each in the bytes that its format takes', async () => {
    const { tensors } = await openGguf(join(fixtures, file));
    const original = await readSafetensors(join(fixturesFolder, name, 'model.safetensors'));
    expect([...tensors.keys()].sort()).toEqual([...original.tensors.keys()].sort());
    for (const [key, { shape }] of original.tensors) {
      const tensor = tensors.get(key);
      expect([key, tensor?.shape]).toEqual([key, shape]);
      const isPlain = shape.length === 1 || key.endsWith('block_sparse_moe.gate.weight');
      expect([key, tensor?.dtype]).toEqual([key, isPlain ? 'F32' : dtype]);
      const { blockElements = 0, blockBytes = 0 } = expected.types[isPlain ? 'F32' : dtype] ?? {};
      const elements = shape.reduce((product, size) => product * size, 1);
      expect(tensor?.byteLength).toBe((elements / blockElements) * blockBytes);
    }
  });

  it('describes the model of the original', async () => {
    const { config } = await openGguf(join(fixtures, file));
    const original = configOf(name);
    for (const field of [
      'architectures',
      'model_type',
      'hidden_size',
      'intermediate_size',
      'num_hidden_layers',
      'num_attention_heads',
      'num_key_value_heads',
      'vocab_size',
      'max_position_embeddings',
      'tie_word_embeddings',
    ]) {
      expect([field, config[field]]).toEqual([field, original[field]]);
    }
    // Metadata has float32.
    expect(config['rms_norm_eps']).toBe(Math.fround(original['rms_norm_eps'] as number));
    expect(resolveModel(config).sizes).toEqual(resolveModel(original).sizes);
    expect(config['torch_dtype']).toBe(dtype === 'BF16' ? 'bfloat16' : undefined);
  });
});

it('finds BF16 values where the original has them, q and k in interleaved order', async () => {
  const { tensors } = await openGguf(join(fixtures, 'llama3-gqa-bf16.gguf'));
  const source = join(fixturesFolder, 'llama3-gqa', 'model.safetensors');
  const original = await readSafetensors(source);
  const file = readFileSync(join(fixtures, 'llama3-gqa-bf16.gguf'));
  const bytesOf = (key: string) => {
    const { byteOffset = 0, byteLength = 0 } = tensors.get(key) ?? {};
    return file.subarray(byteOffset, byteOffset + byteLength);
  };
  const originalOf = async (key: string) => {
    const tensor = original.tensors.get(key);
    if (!tensor) throw new Error(key);
    return Buffer.from(await readTensor(source, tensor));
  };
  const down = 'model.layers.1.mlp.down_proj.weight';
  expect(bytesOf(down)).toEqual(await originalOf(down));

  // 8 heads of 8 columns: row 2i of a head is row i of the original, row 2i + 1 row i + 4. A row is 64 × 2 bytes.
  const q = 'model.layers.1.self_attn.q_proj.weight';
  const rows = await originalOf(q);
  const row = (bytes: Buffer, index: number) => bytes.subarray(128 * index, 128 * (index + 1));
  for (let index = 0; index < 64; index++) {
    const [head, column] = [Math.floor(index / 8), index % 8];
    const from = 8 * head + (column % 2 === 0 ? column / 2 : 4 + (column - 1) / 2);
    expect(row(bytesOf(q), index)).toEqual(row(rows, from));
  }
});

it('opens a split model by any of its parts', async () => {
  const [first, second] = await Promise.all(
    ['1', '2'].map((part) => openGguf(join(fixtures, `qwen2-bf16-0000${part}-of-00002.gguf`))),
  );
  expect(second?.config).toEqual(first?.config);
  expect(second?.tensors).toEqual(first?.tensors);
  const paths = new Set([...(first?.tensors.values() ?? [])].map(({ path }) => path));
  expect(paths.size).toBe(2);
});

it('gives expert e of a fused tensor the e-th part of its bytes', async () => {
  const { tensors } = await openGguf(join(fixtures, 'mixtral-bf16.gguf'));
  const source = join(fixturesFolder, 'mixtral', 'model.safetensors');
  const original = await readSafetensors(source);
  const file = readFileSync(join(fixtures, 'mixtral-bf16.gguf'));
  for (const stem of ['w1', 'w2', 'w3']) {
    for (let expert = 0; expert < 4; expert++) {
      const key = `model.layers.2.block_sparse_moe.experts.${expert}.${stem}.weight`;
      const { byteOffset = 0, byteLength = 0 } = tensors.get(key) ?? {};
      const tensor = original.tensors.get(key);
      if (!tensor) throw new Error(key);
      expect(file.subarray(byteOffset, byteOffset + byteLength)).toEqual(
        Buffer.from(await readTensor(source, tensor)),
      );
    }
  }
});

it('knows the block layouts of the types it names', () => {
  const known = Object.entries(expected.types).filter(([, { id }]) => ggmlType(id));
  for (const [name, { id, blockElements, blockBytes }] of known) {
    expect(ggmlType(id)).toEqual({ name, blockElements, blockBytes });
  }
  const needed = ['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_K', 'Q6_K'];
  expect(known.map(([name]) => name)).toEqual(expect.arrayContaining(needed));
});

it('gives the rows of every type their exact bytes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gguf-types-'));
  const metadata = expected.cases['llama3-gqa']?.metadata ?? [];
  const types = Object.entries(expected.types).filter(([, { id }]) => ggmlType(id));
  const tensors = types.map(([, { id, blockElements, blockBytes }], layer) => ({
    name: `blk.${layer}.ffn_down.weight`,
    shape: [3, 2 * blockElements],
    type: id,
    bytes: new Uint8Array(3 * 2 * blockBytes),
  }));
  const checkpoint = await openGguf(writeGguf(join(folder, 'types.gguf'), { pairs: metadata, tensors }));
  types.forEach(([name, { blockBytes }], layer) => {
    const { dtype, byteLength } = checkpoint.tensors.get(`model.layers.${layer}.mlp.down_proj.weight`) ?? {};
    expect([dtype, byteLength]).toEqual([name, 3 * 2 * blockBytes]);
  });
  rmSync(folder, { recursive: true });
});

it('reads the first Mixtral files, with a tensor for every expert', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gguf-experts-'));
  const metadata = expected.cases['mixtral']?.metadata ?? [];
  const tensors = ['gate', 'up', 'down'].map((part) => ({
    name: `blk.1.ffn_${part}.3.weight`,
    shape: [2, 4],
    type: 0,
    bytes: new Uint8Array(32),
  }));
  const checkpoint = await openGguf(writeGguf(join(folder, 'experts.gguf'), { pairs: metadata, tensors }));
  expect([...checkpoint.tensors.keys()]).toEqual(
    ['w1', 'w3', 'w2'].map((part) => `model.layers.1.block_sparse_moe.experts.3.${part}.weight`),
  );
  rmSync(folder, { recursive: true });
});

it('takes a llama file with a window for Mistral', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gguf-window-'));
  const metadata = expected.cases['llama3-gqa']?.metadata ?? [];
  const window = ['llama.attention.sliding_window', [Type.U32], 4096] as const;
  const { config } = await openGguf(writeGguf(join(folder, 'window.gguf'), { pairs: [...metadata, window] }));
  expect(config).toMatchObject({ architectures: ['MistralForCausalLM'], sliding_window: 4096 });
  rmSync(folder, { recursive: true });
});

it('gives the files around a tokenizer', async () => {
  const checkpoint = await openGguf(join(fixtures, 'llama3-gqa-bf16.gguf'));
  // As make.py wrote them.
  expect(await checkpoint.readJson('generation_config.json')).toEqual({
    bos_token_id: 255,
    eos_token_id: [255],
  });
  expect(await checkpoint.readJson('tokenizer_config.json')).toMatchObject({
    add_bos_token: false,
    eos_token: '<|endoftext|>',
    chat_template: '{% for message in messages %}{{ message.content }}{% endfor %}',
  });
  expect(await checkpoint.readJson('config.json')).toEqual(checkpoint.config);
  expect(await checkpoint.readJson('special_tokens_map.json')).toBeUndefined();
  expect(await checkpoint.readText('chat_template.jinja')).toBeUndefined();
});
