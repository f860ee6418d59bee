// Damaged and hostile files: each is a GgufError, and none makes the reader reserve more than the file could need.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GgufError, openGguf } from '../src/index.js';
import { expected, fixtures } from './expected.js';
import { encodeGguf, Type, writeGguf, type GgufSpec, type Pair, type TensorSpec } from './write-gguf.js';

const folder = mkdtempSync(join(tmpdir(), 'gguf-hostile-'));
afterAll(() => rmSync(folder, { recursive: true }));

const F32 = expected.types['F32']?.id ?? -1;
const Q8_0 = expected.types['Q8_0']?.id ?? -1;
const metadata = expected.cases['llama3-gqa']?.metadata ?? [];
const norm: TensorSpec = { name: 'output_norm.weight', shape: [64], type: F32, bytes: new Uint8Array(256) };

function replaced(...pairs: Pair[]): Pair[] {
  const keys = pairs.map(([key]) => key);
  return [...metadata.filter(([key]) => !keys.includes(key)), ...pairs];
}

async function refusal(spec: GgufSpec | Buffer): Promise<GgufError> {
  const path = join(folder, 'case.gguf');
  if (Buffer.isBuffer(spec)) writeFileSync(path, spec);
  else writeGguf(path, spec);
  const error: unknown = await openGguf(path).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof GgufError) return error;
  throw new Error(`expected a GgufError but found ${String(error)}`);
}

it('accepts the file that the cases below are changes of', async () => {
  const path = writeGguf(join(folder, 'sound.gguf'), { pairs: metadata, tensors: [norm] });
  expect([...(await openGguf(path)).tensors.keys()]).toEqual(['model.norm.weight']);
});

describe('the header', () => {
  it.each<[string, GgufSpec | Buffer, string]>([
    ['another file', Buffer.from('PK\u0003\u0004 and more than twenty-four bytes'), 'NOT_GGUF'],
    ['an empty file', Buffer.alloc(0), 'NOT_GGUF'],
    ['the first version', { version: 1 }, 'UNSUPPORTED_VERSION'],
    ['big-endian numbers', { version: 0x03000000 }, 'UNSUPPORTED_VERSION'],
    ['more tensors than fit', { tensorCount: 1_000_000n }, 'INVALID_HEADER'],
    ['more keys than fit', { pairCount: 2n ** 63n }, 'INVALID_HEADER'],
    ['a table that is not there', { pairs: metadata, tensorCount: 3n }, 'INVALID_HEADER'],
    ['a key twice', { pairs: [...metadata, metadata[0] as Pair] }, 'INVALID_HEADER'],
    ["the parser's own key", { pairs: [...metadata, ['version', [Type.U32], 1] as Pair] }, 'INVALID_HEADER'],
    ['a type of value that there is not', { pairs: [['a', [77], 0] as Pair] }, 'INVALID_HEADER'],
    ['no dimensions', { pairs: metadata, tensors: [{ ...norm, shape: [] }] }, 'INVALID_HEADER'],
    [
      'five dimensions',
      { pairs: metadata, tensors: [{ ...norm, shape: [1, 1, 1, 1, 64] }] },
      'INVALID_HEADER',
    ],
  ])('%s', async (_, spec, code) => {
    const found = Buffer.isBuffer(spec) ? spec : encodeSafely(spec);
    expect((await refusal(found)).code).toBe(code);
  });

  it('a list of 2^60 entries in a short file', async () => {
    const bytes = encodeGguf({ pairs: [['list', [Type.ARRAY, Type.U32], []]] });
    bytes.writeBigUInt64LE(2n ** 60n, bytes.indexOf('list') + 4 + 4 + 4);
    expect((await refusal(bytes)).code).toBe('INVALID_HEADER');
  });

  it('a million entries in a short file: they would all be zeros behind its end', async () => {
    const bytes = encodeGguf({ pairs: [['list', [Type.ARRAY, Type.U64], []]] });
    bytes.writeBigUInt64LE(999_999n, bytes.indexOf('list') + 4 + 4 + 4);
    const error = await refusal(bytes);
    expect(error.code).toBe('INVALID_HEADER');
    expect(error.message).toMatch(/ends before/);
  });
});

/** Unknown value types are written by hand. */
function encodeSafely(spec: GgufSpec): Buffer {
  const unknown = spec.pairs?.find(([, [type]]) => type === 77);
  if (!unknown) return encodeGguf(spec);
  const bytes = encodeGguf({ pairs: [['a', [Type.U32], 0]] });
  bytes.writeUInt32LE(77, 24 + 8 + 1);
  return bytes;
}

describe('tensors', () => {
  it.each<[string, Partial<TensorSpec>, string]>([
    ['outside the file', { offset: 2n ** 40n }, 'INVALID_TENSOR'],
    ['at an offset of 2^64 - 32', { offset: 2n ** 64n - 32n }, 'INVALID_TENSOR'],
    ['not aligned', { shape: [8], offset: 4n }, 'INVALID_TENSOR'],
    ['larger than the file', { shape: [1 << 20] }, 'INVALID_TENSOR'],
    ['a product beyond 2^64', { shape: [2n ** 32n, 2n ** 32n, 2n ** 32n] }, 'INVALID_TENSOR'],
    ['an empty dimension', { shape: [0, 64] }, 'INVALID_TENSOR'],
    ['rows that are no whole blocks', { shape: [2, 20], type: Q8_0 }, 'INVALID_TENSOR'],
    ['a name too long', { name: 'x'.repeat(65) }, 'INVALID_TENSOR'],
    ['an unknown type', { type: 4000 }, 'UNSUPPORTED_TENSOR'],
    ['an unknown name', { name: 'blk.0.attn_sinks.weight' }, 'UNSUPPORTED_TENSOR'],
    ['a bias that the architecture has not', { name: 'blk.0.attn_norm.bias' }, 'UNSUPPORTED_TENSOR'],
    ['a layer number that is none', { name: 'blk.9999.attn_norm.weight' }, 'UNSUPPORTED_TENSOR'],
    ['a name of Object.prototype', { name: 'constructor' }, 'UNSUPPORTED_TENSOR'],
    ['divisors of the wrong kind', { name: 'rope_freqs.weight', shape: [8, 8] }, 'INVALID_TENSOR'],
  ])('%s', async (_, change, code) => {
    expect((await refusal({ pairs: metadata, tensors: [{ ...norm, ...change }] })).code).toBe(code);
  });

  it('twice, or one within another', async () => {
    expect((await refusal({ pairs: metadata, tensors: [norm, norm] })).code).toBe('INVALID_TENSOR');
    const within = { ...norm, name: 'token_embd.weight', offset: 32n };
    expect((await refusal({ pairs: metadata, tensors: [norm, within] })).code).toBe('INVALID_TENSOR');
  });
});

describe('metadata', () => {
  it.each<[string, Pair, string]>([
    ['another architecture', ['general.architecture', [Type.STRING], 'mamba'], 'UNSUPPORTED_ARCHITECTURE'],
    ['an architecture that is no string', ['general.architecture', [Type.U32], 3], 'INVALID_METADATA'],
    ['a key that is not understood', ['llama.attention.scale', [Type.F32], 0.5], 'UNSUPPORTED_FIELD'],
    ['unknown rope scaling', ['llama.rope.scaling.type', [Type.STRING], 'longrope'], 'UNSUPPORTED_FIELD'],
    ['an alignment of 3', ['general.alignment', [Type.U32], 3], 'INVALID_METADATA'],
    ['older quantization', ['general.quantization_version', [Type.U32], 1], 'UNSUPPORTED_VERSION'],
    ['no layers', ['llama.block_count', [Type.U32], 0], 'INVALID_METADATA'],
    ['a billion layers', ['llama.block_count', [Type.U32], 1e9], 'INVALID_METADATA'],
    [
      'other sizes per layer',
      ['llama.attention.head_count', [Type.ARRAY, Type.U32], [8, 4]],
      'INVALID_METADATA',
    ],
    ['a part of more', ['split.count', [Type.U32], 2], 'INVALID_PARTS'],
  ])('%s', async (_, pair, code) => {
    expect((await refusal({ pairs: replaced(pair), tensors: [norm] })).code).toBe(code);
  });

  it('one size for every layer may be written as a list', async () => {
    const pair: Pair = ['llama.attention.head_count', [Type.ARRAY, Type.U32], [8, 8, 8]];
    const { config } = await openGguf(
      writeGguf(join(folder, 'list.gguf'), { pairs: replaced(pair), tensors: [norm] }),
    );
    expect(config['num_attention_heads']).toBe(8);
  });
});

describe('tokenizers', () => {
  const vocabulary = (tokens: string[], ...others: Pair[]): Pair[] => [
    ...metadata,
    ['tokenizer.ggml.model', [Type.STRING], 'gpt2'],
    ['tokenizer.ggml.tokens', [Type.ARRAY, Type.STRING], tokens],
    ...others,
  ];
  const gpt2: Pair = ['tokenizer.ggml.pre', [Type.STRING], 'gpt-2'];
  const merges: Pair = ['tokenizer.ggml.merges', [Type.ARRAY, Type.STRING], ['a b']];

  it.each<[string, Pair[], string]>([
    [
      'unknown word rule',
      vocabulary(['a'], ['tokenizer.ggml.pre', [Type.STRING], 'martian'], merges),
      'UNSUPPORTED_TOKENIZER',
    ],
    ['no word rule', vocabulary(['a'], merges), 'UNSUPPORTED_TOKENIZER'],
    ['a token twice', vocabulary(['a', 'a'], gpt2, merges), 'INVALID_TOKENIZER'],
    ['a merge of unknown tokens', vocabulary(['a', 'b'], gpt2, merges), 'INVALID_TOKENIZER'],
    ['no merges', vocabulary(['a', 'b', 'ab'], gpt2), 'INVALID_METADATA'],
    [
      'fewer types than tokens',
      vocabulary(['a', 'b', 'ab'], gpt2, merges, ['tokenizer.ggml.token_type', [Type.ARRAY, Type.I32], [1]]),
      'INVALID_METADATA',
    ],
    [
      'an end outside the vocabulary',
      vocabulary(['a', 'b', 'ab'], gpt2, merges, ['tokenizer.ggml.eos_token_id', [Type.U32], 3]),
      'INVALID_METADATA',
    ],
  ])('%s', async (_, pairs, code) => {
    const path = writeGguf(join(folder, 'tokenizer.gguf'), { pairs, tensors: [norm] });
    const checkpoint = await openGguf(path);
    await expect(checkpoint.readJson('tokenizer.json')).rejects.toMatchObject({ name: 'GgufError', code });
  });

  it('keep U+FEFF at the start of a token', async () => {
    const pairs = vocabulary(['\uFEFFa', 'a', '\uFEFF', 'b', 'ab'], gpt2, merges);
    const checkpoint = await openGguf(writeGguf(join(folder, 'bom.gguf'), { pairs, tensors: [norm] }));
    const json = (await checkpoint.readJson('tokenizer.json')) as { model: { vocab: object } };
    expect(Object.keys(json.model.vocab)).toEqual(['\uFEFFa', 'a', '\uFEFF', 'b', 'ab']);
  });
});

it('a changed byte anywhere in the header opens or is refused by a typed error', async () => {
  const sound = readFileSync(join(fixtures, 'llama-tied-q4_0.gguf'));
  const path = join(folder, 'fuzz.gguf');
  const headerBytes = 9_000;
  // Park and Miller's generator: the same changes in every run.
  let state = 12_345;
  const random = (below: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  const outcomes = { opened: 0, refused: 0 };
  for (let round = 0; round < 600; round++) {
    const bytes = Buffer.from(sound);
    const changes = 1 + random(3);
    for (let change = 0; change < changes; change++) {
      bytes[random(headerBytes)] = [0, 1, 0x7f, 0x80, 0xff, random(256)][random(6)] ?? 0;
    }
    const end = random(10) === 0 ? random(bytes.length) : bytes.length;
    writeFileSync(path, bytes.subarray(0, end));
    try {
      const checkpoint = await openGguf(path);
      for (const tensor of checkpoint.tensors.values()) {
        expect(tensor.byteOffset + tensor.byteLength).toBeLessThanOrEqual(end);
      }
      await checkpoint.readJson('tokenizer.json');
      outcomes.opened++;
    } catch (error) {
      if (!(error instanceof GgufError)) throw error;
      outcomes.refused++;
    }
  }
  expect(outcomes.opened).toBeGreaterThan(50);
  expect(outcomes.refused).toBeGreaterThan(50);
});
