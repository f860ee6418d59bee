// Checkpoints this project did not make by hand: their folders open, and every tensor has the dtype, shape
// and bytes that its config calls for.

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCheckpoint, parseIndex } from '../src/index.js';
import { parseJson } from '../src/parse-json.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const data = process.env['AIRLLM_SHARED_DATA'] ?? resolve(root, '../shared/data');
const present = existsSync(join(data, 'models'));
if (!present) console.warn(`SKIPPED real checkpoints: ${data} is not there. Set AIRLLM_SHARED_DATA.`);
const withData = present ? describe : describe.skip;

withData('stories260K', () => {
  // dim 64, 5 layers, 8 heads of 8 (4 key/value heads), hidden 172, vocabulary 512: stories260K.md.
  const expected: Record<string, number[]> = {
    'model.embed_tokens.weight': [512, 64],
    'model.norm.weight': [64],
  };
  for (let layer = 0; layer < 5; layer++) {
    const name = (rest: string) => `model.layers.${layer}.${rest}.weight`;
    Object.assign(expected, {
      [name('self_attn.q_proj')]: [64, 64],
      [name('self_attn.k_proj')]: [32, 64],
      [name('self_attn.v_proj')]: [32, 64],
      [name('self_attn.o_proj')]: [64, 64],
      [name('mlp.gate_proj')]: [172, 64],
      [name('mlp.up_proj')]: [172, 64],
      [name('mlp.down_proj')]: [64, 172],
      [name('input_layernorm')]: [64],
      [name('post_attention_layernorm')]: [64],
    });
  }
  it.each([
    ['stories260k-hf-f32', 'F32', 4, 1],
    ['stories260k-hf-f16', 'F16', 2, 1],
    ['stories260k-hf-bf16-3shards', 'BF16', 2, 3],
  ])('%s', async (folder, dtype, width, files) => {
    const { tensors, config } = await openCheckpoint(join(data, 'models', folder));
    expect(config['num_hidden_layers']).toBe(5);
    expect(new Set([...tensors.values()].map((tensor) => tensor.path)).size).toBe(files);
    for (const [name, shape] of Object.entries(expected)) {
      const byteLength = shape.reduce((a, b) => a * b, 1) * width;
      expect(tensors.get(name)).toMatchObject({ dtype, shape, byteLength });
    }
  });
});

withData('published files', () => {
  it('parses every published config, those with Infinity too', async () => {
    const folder = join(data, 'configs/aiconfigurator');
    const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
    expect(names.length).toBeGreaterThan(20);
    for (const name of names) {
      expect(parseJson(await readFile(join(folder, name), 'utf8'), name)).toBeInstanceOf(Object);
    }
    const nemotron = await readFile(join(folder, 'nvidia--Nemotron-H-56B-Base-8K_config.json'), 'utf8');
    expect(() => JSON.parse(nemotron) as unknown).toThrow(SyntaxError);
    expect((parseJson(nemotron, 'config.json') as { time_step_limit: number[] }).time_step_limit).toEqual([
      0,
      Infinity,
    ]);
  });

  it('parses an index of 59 shards', async () => {
    const name = 'WizardLM-2-8x22B.model.safetensors.index.json';
    const weightMap = parseIndex(await readFile(join(data, 'configs/index', name), 'utf8'), name);
    expect(new Set(weightMap.values()).size).toBe(59);
  });
});
