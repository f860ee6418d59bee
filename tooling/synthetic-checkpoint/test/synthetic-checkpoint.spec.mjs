import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listWeights, resolveModel } from '@airllm/model-zoo';
import { readHeader, readTensor } from 'safetensors-js';
import { PRESETS, writeSyntheticCheckpoint } from '../index.js';

const TINY = {
  hiddenSize: 64,
  layers: 3,
  heads: 4,
  kvHeads: 2,
  intermediateSize: 96,
  vocabSize: 200,
  seed: 7,
};

let folder;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'synthetic-checkpoint-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Every tensor in the folder: name → { dtype, shape, path, byteOffset, byteLength }. */
async function readTensors() {
  const tensors = new Map();
  for (const file of await readdir(folder)) {
    if (!file.endsWith('.safetensors')) continue;
    const path = join(folder, file);
    for (const [name, tensor] of (await readHeader(path)).tensors) tensors.set(name, { ...tensor, path });
  }
  return tensors;
}

async function readModel() {
  return resolveModel(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')));
}

/** What the model asks for, once each. */
function wantedWeights(definition) {
  const { embedding, stages } = listWeights(definition);
  const experts = stages.flatMap((stage) => stage.experts ?? []).flat();
  return new Map(
    [embedding, ...stages.flatMap((stage) => stage.weights), ...experts].map(({ name, shape }) => [
      name,
      shape,
    ]),
  );
}

const shapesOf = (tensors) =>
  Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]).sort());

describe('writeSyntheticCheckpoint', () => {
  it.each([
    ['llama', { family: 'llama' }],
    ['llama with a tied head', { family: 'llama', tied: true }],
    ['llama with heads wider than its hidden size', { family: 'llama', headDim: 32 }],
    ['qwen3', { family: 'qwen3', headDim: 32 }],
    ['mixtral', { family: 'mixtral', experts: 4, topK: 2 }],
  ])('gives %s the tensors that the model zoo asks for, and no others', async (_name, variation) => {
    await writeSyntheticCheckpoint(folder, { ...TINY, ...variation, dtype: 'bf16' });
    const definition = await readModel();
    expect(definition.family).toBe(variation.family);
    expect(shapesOf(await readTensors())).toEqual(Object.fromEntries([...wantedWeights(definition)].sort()));
  });

  it('splits at shardBytes and indexes every tensor', async () => {
    const { files, weightBytes } = await writeSyntheticCheckpoint(folder, {
      ...TINY,
      dtype: 'f16',
      shardBytes: 100_000,
    });
    // Per layer 2·64·64 + 2·32·64 + 3·96·64 + 2·64 = 30848 values; embedding and head 200·64 each; one norm of 64.
    expect(weightBytes).toBe(2 * (3 * 30848 + 2 * 200 * 64 + 64));
    expect(files).toEqual([1, 2, 3].map((n) => `model-0000${n}-of-00003.safetensors`));
    const index = JSON.parse(await readFile(join(folder, 'model.safetensors.index.json'), 'utf8'));
    expect(index.metadata.total_size).toBe(weightBytes);
    for (const [name, { path }] of await readTensors())
      expect(join(folder, index.weight_map[name])).toBe(path);
  });

  it.each([
    ['bf16', (bytes) => widen(bytes, (bits) => bits << 16)],
    ['f16', (bytes) => widen(bytes, f16ToF32Bits)],
    ['f32', (bytes) => new Float32Array(bytes.slice().buffer)],
  ])('fills %s matrices with standard deviation 1 / √columns and norms with 1', async (dtype, decode) => {
    await writeSyntheticCheckpoint(folder, { ...TINY, vocabSize: 2000, dtype });
    const tensors = await readTensors();
    const read = async (name) => decode(await readTensor(tensors.get(name).path, tensors.get(name)));
    expect(new Set(await read('model.norm.weight'))).toEqual(new Set([1]));
    const table = await read('model.embed_tokens.weight');
    const mean = table.reduce((sum, value) => sum + value, 0) / table.length;
    const variance = table.reduce((sum, value) => sum + (value - mean) ** 2, 0) / table.length;
    // columns = 64. Of 65521 samples the standard error of the mean is 4.9e-4, of the deviation 3.5e-4.
    expect(Math.abs(mean)).toBeLessThan(2.5e-3);
    expect(Math.abs(Math.sqrt(variance) - 1 / 8)).toBeLessThan(1.8e-3);
  });

  it('multiplies the embedding alone by embeddingScale', async () => {
    const firstValues = async (embeddingScale) => {
      await rm(folder, { recursive: true });
      await writeSyntheticCheckpoint(folder, { ...TINY, dtype: 'f32', embeddingScale });
      const tensors = await readTensors();
      const names = ['model.embed_tokens.weight', 'lm_head.weight'];
      return Promise.all(
        names.map(
          async (name) =>
            new Float32Array((await readTensor(tensors.get(name).path, tensors.get(name))).slice().buffer)[0],
        ),
      );
    };
    const [embedding, head] = await firstValues(1);
    // A power of two changes no other bit.
    expect(await firstValues(8)).toEqual([8 * embedding, head]);
  });

  it('repeats itself for a seed, differs for another, and gives no two tensors the same bytes', async () => {
    const bytesFor = async (seed) => {
      await rm(folder, { recursive: true });
      await writeSyntheticCheckpoint(folder, { ...TINY, dtype: 'bf16', seed });
      return readFile(join(folder, 'model.safetensors'));
    };
    const first = await bytesFor(1);
    expect(await bytesFor(2)).not.toEqual(first);
    expect(await bytesFor(1)).toEqual(first);
    const matrices = [...(await readTensors()).values()].filter(({ shape }) => shape.length === 2);
    const prefixes = matrices.map(({ byteOffset }) => first.toString('hex', byteOffset, byteOffset + 16));
    expect(new Set(prefixes).size).toBe(matrices.length);
  });

  it('copies a tokenizer, and refuses a folder without one', async () => {
    const tokenizerFrom = await mkdtemp(join(tmpdir(), 'tokenizer-'));
    try {
      const options = { ...TINY, dtype: 'bf16', tokenizerFrom };
      await expect(writeSyntheticCheckpoint(folder, options)).rejects.toThrow(/Expected tokenizer\.json/);
      await writeFile(join(tokenizerFrom, 'tokenizer.json'), '{"version":"1.0"}');
      await writeFile(join(tokenizerFrom, 'weights.bin'), '');
      await writeSyntheticCheckpoint(folder, options);
      expect(await readFile(join(folder, 'tokenizer.json'), 'utf8')).toBe('{"version":"1.0"}');
      expect(await readdir(folder)).not.toContain('weights.bin');
    } finally {
      await rm(tokenizerFrom, { recursive: true });
    }
  });

  it.each([
    ['an unknown family', { family: 'gpt2' }, /family/],
    ['an unknown dtype', { dtype: 'fp8' }, /dtype/],
    ['an embedding scale that is no whole number', { embeddingScale: 0.5 }, /embeddingScale/],
    ['kvHeads that do not divide heads', { kvHeads: 3 }, /kvHeads that divide/],
    ['an odd headDim', { headDim: 5 }, /even headDim/],
    ['a hidden size that heads do not divide', { heads: 6 }, /headDim/],
    ['mixtral without experts', { family: 'mixtral' }, /experts/],
    ['a negative seed', { seed: -1 }, /seed/],
  ])('refuses %s before it writes', async (_name, wrong, message) => {
    const target = join(folder, 'new');
    await expect(writeSyntheticCheckpoint(target, { ...TINY, dtype: 'bf16', ...wrong })).rejects.toThrow(
      message,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses a folder that holds something', async () => {
    await writeFile(join(folder, 'model-00009-of-00009.safetensors'), '');
    await expect(writeSyntheticCheckpoint(folder, { ...TINY, dtype: 'bf16' })).rejects.toThrow(/to be empty/);
  });
});

describe('PRESETS', () => {
  it.each(Object.entries(PRESETS))('%s is as large in bf16 as its name says', (name, preset) => {
    const [, size, unit] = /(\d+)(MB|GB)$/.exec(name);
    const named = Number(size) * (unit === 'GB' ? 1e9 : 1e6);
    const { hiddenSize: d, layers, heads, kvHeads, intermediateSize, vocabSize, experts = 0 } = preset;
    // Attention, MLP or experts with their router, two norms; embedding, head, final norm.
    const attention = 2 * d * d + 2 * d * (d / heads) * kvHeads;
    const mlp = 3 * d * intermediateSize * (experts || 1) + experts * d;
    const bytes = 2 * (layers * (attention + mlp + 2 * d) + 2 * vocabSize * d + d);
    expect(bytes).toBeGreaterThanOrEqual(named);
    expect(bytes).toBeLessThan(1.2 * named);
  });
});

function widen(bytes, toF32Bits) {
  const halves = new Uint16Array(bytes.slice().buffer);
  return new Float32Array(Int32Array.from(halves, toF32Bits).buffer);
}

/** IEEE 754: exponents 0 (subnormal) to 30, bias 15; float32 has bias 127 and 13 more bits of fraction. */
function f16ToF32Bits(half) {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  const value = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return sign | new Int32Array(new Float32Array([value]).buffer)[0];
}
