// Files this project did not make: every valid one parses, every malformed one is refused with its code.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readHeader, readTensor, type SafetensorsHeader } from '../src/index.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const data = join(process.env['AIRLLM_SHARED_DATA'] ?? resolve(root, '../shared/data'), 'safetensors');
const present = existsSync(data);
if (!present)
  console.warn(`SKIPPED reference safetensors files: ${data} is not there. Set AIRLLM_SHARED_DATA.`);
const withData = present ? describe : describe.skip;

const list = (folder: string): string[] =>
  present ? readdirSync(join(data, folder)).filter((name) => name.endsWith('.safetensors')) : [''];

const get = (header: SafetensorsHeader, name: string) => {
  const tensor = header.tensors.get(name);
  if (tensor === undefined) throw new Error(`no tensor ${name}`);
  return tensor;
};

withData('unit cases of the reference implementation', () => {
  // Its error on the left, ours on the right.
  const codes: Record<string, string> = {
    'error:HeaderTooSmall': 'HEADER_TOO_SMALL',
    'error:HeaderTooLarge': 'HEADER_TOO_LARGE',
    'error:InvalidHeaderLength': 'INVALID_HEADER_LENGTH',
    'error:InvalidHeader': 'HEADER_NOT_UTF8',
    'error:InvalidHeaderDeserialization': 'INVALID_JSON',
    'error:MetadataIncompleteBuffer': 'DATA_NOT_COVERED',
    'error:TensorInvalidInfo': 'SIZE_MISMATCH',
    'error:ValidationOverflow': 'SIZE_OVERFLOW',
  };
  type Case = [name: string, expected: string];
  const cases: Case[] = present
    ? Object.entries(
        JSON.parse(readFileSync(join(data, 'upstream-unit-cases/cases.json'), 'utf8')) as Record<
          string,
          { expected_upstream: string }
        >,
      ).map(([name, { expected_upstream }]) => [name, expected_upstream])
    : [['', '']];

  it.each(cases)('%s: %s', async (name, expected) => {
    const outcome = readHeader(join(data, 'upstream-unit-cases', `${name}.safetensors`)).then(
      () => 'ok',
      (error: unknown) => (error as { code: unknown }).code,
    );
    expect(await outcome).toBe(expected === 'ok' ? 'ok' : codes[expected]);
  });

  it('has a case for every file', () => {
    const files = list('upstream-unit-cases').map((name) => name.replace('.safetensors', ''));
    expect(cases.map(([name]) => name).sort()).toEqual(files.sort());
  });
});

withData('sample files', () => {
  // One tensor per numpy type code, each -3 … 2 (as unsigned: modulo 2^n).
  const decode: Record<string, [dtype: string, read: (view: DataView) => number[]]> = {
    b: ['I8', (v) => numbers(v, 1, (at) => v.getInt8(at))],
    B: ['U8', (v) => numbers(v, 1, (at) => (v.getUint8(at) << 24) >> 24)],
    h: ['I16', (v) => numbers(v, 2, (at) => v.getInt16(at, true))],
    H: ['U16', (v) => numbers(v, 2, (at) => (v.getUint16(at, true) << 16) >> 16)],
    i: ['I32', (v) => numbers(v, 4, (at) => v.getInt32(at, true))],
    I: ['U32', (v) => numbers(v, 4, (at) => v.getUint32(at, true) | 0)],
    f: ['F32', (v) => numbers(v, 4, (at) => v.getFloat32(at, true))],
    d: ['F64', (v) => numbers(v, 8, (at) => v.getFloat64(at, true))],
    e: ['F16', (v) => numbers(v, 2, (at) => HALVES[v.getUint16(at, true)] ?? NaN)],
  };
  // IEEE 754 half precision: sign, 5 exponent bits (bias 15), 10 fraction bits.
  const HALVES: Record<number, number> = { 0xc200: -3, 0xc000: -2, 0xbc00: -1, 0: 0, 0x3c00: 1, 0x4000: 2 };
  const numbers = (view: DataView, width: number, read: (at: number) => number): number[] =>
    Array.from({ length: view.byteLength / width }, (_, index) => read(index * width));

  it.each(list('hf-samples'))('%s', async (file) => {
    const path = join(data, 'hf-samples', file);
    const header = await readHeader(path);
    expect({ ...header.metadata }).toEqual({ test: 'a' });
    expect(header.tensors.size).toBe(file === 'overall.safetensors' ? 9 : 1);
    for (const tensor of header.tensors.values()) {
      const [dtype, read] = decode[tensor.name] ?? ['?', () => []];
      expect([tensor.dtype, tensor.shape]).toEqual([dtype, [6]]);
      const bytes = await readTensor(path, tensor);
      expect(read(new DataView(bytes.buffer))).toEqual([-3, -2, -1, 0, 1, 2]);
    }
  });
});

withData('real files', () => {
  // dtype, shape and the first 16 hex digits of the SHA-256 of the bytes, as safetensors 0.8.0 (Python) gives them.
  it.each([
    ['candle/csm-voices.safetensors', 2, 'mask', 'U8', [1, 982, 33], '47a9aebcf87ed2fe'],
    ['candle/csm-voices.safetensors', 2, 'tokens', 'I64', [1, 982, 33], 'abf4bc0e006b01a5'],
    ['candle/jfk-codes.safetensors', 1, 'codes', 'I64', [1, 2, 828], '477b3b1247609d4c'],
    [
      'mlx-lora/adapters.safetensors',
      8,
      'model.layers.22.self_attn.v_proj.lora_b',
      'F32',
      [8, 128],
      'c10804f9eb7f559c',
    ],
    [
      'mlx-lora/adapters.safetensors',
      8,
      'model.layers.23.self_attn.q_proj.lora_b',
      'F32',
      [8, 896],
      '894729b6fdc313d5',
    ],
  ])('%s (%i tensors): %s', async (file, count, name, dtype, shape, sha256) => {
    const path = join(data, file);
    const header = await readHeader(path);
    expect(header.tensors.size).toBe(count);
    const tensor = get(header, name);
    expect([tensor.dtype, tensor.shape]).toEqual([dtype, shape]);
    const digest = createHash('sha256')
      .update(await readTensor(path, tensor))
      .digest('hex');
    expect(digest.slice(0, 16)).toBe(sha256);
  });

  it('are refused when a byte is missing or added', async () => {
    const bytes = await readFile(join(data, 'candle/jfk-codes.safetensors'));
    for (const changed of [bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.alloc(1)])]) {
      const reader = {
        size: changed.length,
        read: (at: number, length: number) => Promise.resolve(changed.subarray(at, at + length)),
      };
      await expect(readHeader(reader)).rejects.toMatchObject({ code: 'DATA_NOT_COVERED' });
    }
  });
});
