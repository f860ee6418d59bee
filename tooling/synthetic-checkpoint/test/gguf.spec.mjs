import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGguf } from '@airllm/gguf-checkpoint';
import { readHeader, readTensor, writeSafetensors } from 'safetensors-js';
import { writeGguf, writeSyntheticCheckpoint } from '../index.js';
import { rotaryRowOrder } from '../lib/gguf/names.js';
import { TENSOR_TYPES } from '../lib/gguf/tensor-types.js';

const TINY = {
  hiddenSize: 64,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  intermediateSize: 96,
  vocabSize: 300,
  seed: 7,
};
const FAMILIES = { llama: {}, mixtral: { family: 'mixtral', experts: 4, topK: 2 } };

let folder;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'synthetic-gguf-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

async function writeBoth(variation, type) {
  const from = join(folder, 'checkpoint');
  const path = join(folder, 'model.gguf');
  await writeSyntheticCheckpoint(from, { ...TINY, ...variation, dtype: 'bf16' });
  await writeGguf(from, path, { type });
  const tensors = new Map();
  for (const file of (await readdir(from)).filter((name) => name.endsWith('.safetensors'))) {
    for (const tensor of (await readHeader(join(from, file))).tensors.values())
      tensors.set(tensor.name, { ...tensor, path: join(from, file) });
  }
  return { gguf: await openGguf(path), tensors };
}

async function readBytes({ path, byteOffset, byteLength }) {
  const file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(byteLength), 0, byteLength, byteOffset);
  await file.close();
  return buffer;
}

describe.each(Object.entries(FAMILIES))('writeGguf of %s', (family, variation) => {
  it.each(['bf16', 'q8_0'])('keeps every tensor and its shape in %s', async (type) => {
    const { gguf, tensors } = await writeBoth(variation, type);
    const shapes = (of) => Object.fromEntries([...of].map(([name, { shape }]) => [name, shape]).sort());
    expect(shapes(gguf.tensors)).toEqual(shapes(tensors));
    expect(gguf.config).toMatchObject({
      model_type: family,
      hidden_size: 64,
      num_hidden_layers: 2,
      num_key_value_heads: 2,
    });
  });

  it('keeps the bytes of matrices whose rows stay in order, and only reorders the others', async () => {
    const { gguf, tensors } = await writeBoth(variation, 'bf16');
    for (const [name, tensor] of tensors) {
      if (tensor.shape.length < 2 || name.endsWith('block_sparse_moe.gate.weight')) continue;
      const expected = Buffer.from(await readTensor(tensor.path, tensor));
      const found = await readBytes(gguf.tensors.get(name));
      if (!/[qk]_proj/.test(name)) {
        expect([name, found.equals(expected)]).toEqual([name, true]);
        continue;
      }
      // Heads of 16 rows: row 1 of a head is its row 8, row 2 its row 1.
      const row = (bytes, index) => bytes.subarray(index * 128, index * 128 + 128);
      expect([0, 1, 2, 17].map((index) => row(found, index))).toEqual(
        [0, 8, 1, 24].map((index) => row(expected, index)),
      );
    }
  });
});

it('rows of a head alternate between its halves', () => {
  expect(rotaryRowOrder(8, 2)).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
});

describe('q8_0', () => {
  const bf16 = (values) => {
    const bits = new Uint32Array(new Float32Array(values).buffer);
    return new Uint8Array(Uint16Array.from(bits, (word) => word >>> 16).buffer);
  };

  it('is a scale of max ÷ 127 and 32 rounded values', () => {
    // 127 / 127 = 1, which is 0x3c00 in f16; 0.5 and −2.5 round away from zero.
    const values = [127, -127, 0.5, -2.5, 3.25, ...new Array(27).fill(0)];
    const bytes = TENSOR_TYPES.q8_0.encode(bf16(values));
    expect([...bytes.subarray(0, 7)]).toEqual([0x00, 0x3c, 127, 256 - 127, 1, 256 - 3, 3]);
    expect(bytes).toHaveLength(34);
  });

  it('gives zeros for a block of zeros', () => {
    expect([...TENSOR_TYPES.q8_0.encode(bf16(new Array(32).fill(0)))]).toEqual(new Array(34).fill(0));
  });
});

describe('writeGguf refuses', () => {
  it('other types, dtypes, families and rows that are no whole blocks', async () => {
    const from = join(folder, 'checkpoint');
    const path = join(folder, 'model.gguf');
    await writeSyntheticCheckpoint(from, { ...TINY, dtype: 'bf16' });
    await expect(writeGguf(from, path, { type: 'q4_0' })).rejects.toThrow('bf16 or q8_0 but received q4_0');
    const extra = (name, dtype, bytes) =>
      writeSafetensors(join(from, 'extra.safetensors'), [
        { name, dtype, shape: [1, 8], data: new Uint8Array(8 * bytes) },
      ]);
    await extra('model.layers.0.self_attn.q_norm.weight', 'BF16', 2);
    await expect(writeGguf(from, path, { type: 'bf16' })).rejects.toThrow('a tensor of a Llama or Mixtral');
    await extra('lm_head.weight', 'F32', 4);
    await expect(writeGguf(from, path, { type: 'bf16' })).rejects.toThrow(
      'bf16 tensors but lm_head.weight is F32',
    );
    await extra('model.layers.2.mlp.up_proj.weight', 'BF16', 2);
    await expect(writeGguf(from, path, { type: 'q8_0' })).rejects.toThrow('rows of whole blocks');
    expect(await readdir(folder)).toEqual(['checkpoint']);
  });
});
