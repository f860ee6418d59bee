// Golden cases as GGUF files, end to end: the greedy ids and the text of the checkpoint they were made from.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixturesFolder, readGoldenPrompts } from '@airllm/fixtures';
import { readHeader, readTensor } from 'safetensors-js';
import { expected, fixtures } from '../../gguf-checkpoint/test/expected.js';
import { Type, writeGguf, type TensorSpec } from '../../gguf-checkpoint/test/write-gguf.js';
import { AutoModel } from '../src/index.js';

const folder = mkdtempSync(join(tmpdir(), 'gguf-golden-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Prompts = readonly { readonly input_ids: readonly number[]; readonly greedy: readonly number[] }[];

async function expectGolden(path: string, prompts: Prompts): Promise<void> {
  await using model = await AutoModel.fromPretrained(path, { device: 'reference' });
  for (const { input_ids: inputIds, greedy } of prompts) {
    const { tokenIds } = await model.generate({ inputIds }, { maxNewTokens: 24, ignoreEos: true });
    expect(tokenIds).toEqual(greedy);
  }
}

it.each([
  ['llama3-gqa', 'llama3-gqa-bf16.gguf'],
  ['mixtral', 'mixtral-bf16.gguf'],
  ['qwen2', 'qwen2-bf16-00001-of-00002.gguf'],
])('%s, written by the gguf package of llama.cpp', async (name, file) => {
  await expectGolden(join(fixtures, file), readGoldenPrompts(name));
});

it.each(Object.entries(expected.quantizedGreedy))(
  '%s, as transformers with its blocks decoded',
  async (name, prompts) => {
    await expectGolden(join(fixtures, `${name}.gguf`), prompts);
  },
);

describe.each(['cpu', 'reference'] as const)('a whole Q4_K_M file (Q4_K and Q6_K) on %s', (device) => {
  const file = join(fixtures, 'llama-q4_k_m.gguf');

  it('has both formats', async () => {
    const { checkpoint } = await AutoModel.inspect(file);
    const dtypes = new Set([...checkpoint.tensors.values()].map(({ dtype }) => dtype));
    expect([...dtypes].sort()).toEqual(['F32', 'Q4_K', 'Q6_K']);
  });

  it('gives the ids and logits of transformers with its blocks decoded', async () => {
    await using model = await AutoModel.fromPretrained(file, { device });
    for (const { input_ids: inputIds, greedy, logits } of expected.q4KM) {
      const { tokenIds } = await model.generate({ inputIds }, { maxNewTokens: 24, ignoreEos: true });
      expect(tokenIds).toEqual(greedy);
      const last = (await model.logits(inputIds)).data.slice(-logits.length);
      const mean = logits.reduce((sum, value) => sum + value, 0) / logits.length;
      const deviation = Math.sqrt(
        logits.reduce((sum, value) => sum + (value - mean) ** 2, 0) / logits.length,
      );
      const worst = Math.max(...logits.map((value, i) => Math.abs(value - (last[i] ?? NaN))));
      expect(worst / deviation).toBeLessThan(2e-3);
    }
  });
});

// Metadata, names and shapes as that package wrote them; values from the golden case, in float32.
it.each(Object.keys(expected.cases))('%s in float32', async (name) => {
  const { metadata, tensors, values } = expected.cases[name] ?? { metadata: [], tensors: {}, values: {} };
  const isLlama = metadata.some(([, , value]) => value === 'llama');
  const original = await readOriginal(name);
  const specs = Object.entries(tensors).map(([ggufName, { shape, from }]): TensorSpec => {
    const parts = from.map((key) => {
      const part = original.get(key);
      if (!part) throw new Error(key);
      const kind = /self_attn\.([qk])_proj/.exec(key)?.[1];
      return isLlama && kind ? interleaved(part, headDimOf(metadata)) : part.values;
    });
    const floats = Float32Array.from([...(values[ggufName] ?? []), ...parts.flatMap((part) => [...part])]);
    return { name: ggufName, shape, type: 0, bytes: new Uint8Array(floats.buffer) };
  });
  await expectGolden(
    writeGguf(join(folder, `${name}.gguf`), { pairs: metadata, tensors: specs }),
    readGoldenPrompts(name),
  );
});

interface Original {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

async function readOriginal(name: string): Promise<Map<string, Original>> {
  const path = join(fixturesFolder, name, 'model.safetensors');
  const { tensors } = await readHeader(path);
  const read = [...tensors].map(async ([key, tensor]): Promise<[string, Original]> => {
    const bytes = await readTensor(path, tensor);
    // bfloat16 is the upper half of float32.
    const bits = new Uint16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    const values = new Float32Array(Uint32Array.from(bits, (upper) => upper << 16).buffer);
    return [key, { shape: tensor.shape, values }];
  });
  return new Map(await Promise.all(read));
}

/** Rows of each head in the order 0, d/2, 1, d/2 + 1 …, as the converter of llama.cpp writes q and k. */
function interleaved({ shape, values }: Original, headDim: number): Float32Array {
  const [rows = 0, cols = 1] = shape;
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const [head, at] = [Math.floor(row / headDim), row % headDim];
    const from = head * headDim + (at % 2 === 0 ? at / 2 : headDim / 2 + (at - 1) / 2);
    out.set(values.subarray(from * cols, (from + 1) * cols), row * cols);
  }
  return out;
}

function headDimOf(metadata: readonly (readonly [string, readonly number[], unknown])[]): number {
  return Number(metadata.find(([key]) => key === 'llama.rope.dimension_count')?.[2]);
}

it('takes token ids where the kind of the tokenizer is not known, and says so when text is asked for', async () => {
  const { metadata, tensors } = expected.cases['llama3-gqa'] ?? { metadata: [], tensors: {} };
  const specs = Object.entries(tensors).map(([name, { shape }]): TensorSpec => {
    const bytes = new Uint8Array(4 * shape.reduce((product, size) => product * size, 1));
    return { name, shape, type: 0, bytes };
  });
  const tokens = Array.from({ length: 256 }, (_, id) => `token ${id}`);
  const kind = ['tokenizer.ggml.model', [Type.STRING], 'rwkv'] as const;
  const vocabulary = ['tokenizer.ggml.tokens', [Type.ARRAY, Type.STRING], tokens] as const;
  const end = ['tokenizer.ggml.eos_token_id', [Type.U32], 7] as const;
  const path = writeGguf(join(folder, 'rwkv.gguf'), {
    pairs: [...metadata, kind, vocabulary, end],
    tensors: specs,
  });
  await using model = await AutoModel.fromPretrained(path, { device: 'reference' });
  const { tokenIds, text } = await model.generate({ inputIds: [1, 2] }, { maxNewTokens: 2 });
  // All weights are zero, and so are all logits: the first id is taken.
  expect(tokenIds).toEqual([0, 0]);
  expect(text).toBe('');
  expect(() => model.tokenizer).toThrow(/llama or gpt2 .* "rwkv"/);
  await expect(model.generate('text')).rejects.toMatchObject({ code: 'MISSING_TOKENIZER' });
});

it('reads and writes text with the tokenizer and chat template of the file', async () => {
  await using model = await AutoModel.fromPretrained(join(fixtures, 'llama3-gqa-bf16.gguf'), {
    device: 'reference',
  });
  // The vocabulary of fixtures/make.py: bytes in order of the byte-level alphabet, "Ġt" 254, the mark 255.
  expect(model.tokenizer.encode('a t')).toEqual([0x61, 254]);
  expect(model.tokenizer.applyChatTemplate([{ role: 'user', content: 'hi' }])).toBe('hi');
  const { text, tokenIds } = await model.generate('a t', { maxNewTokens: 4, ignoreEos: true });
  expect(text).toBe(model.tokenizer.decode(tokenIds));
});
