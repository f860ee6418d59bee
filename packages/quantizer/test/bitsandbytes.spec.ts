// Bytes and factors of `4bit` and `8bit` are those of bitsandbytes, ragged tails and double quantization included.

import { decode } from '../src/index.js';
import { DYNAMIC_MAP, NF4_MAP } from '../src/code-maps.js';
import { every } from './every-kernels.js';
import { encodeTensor, expectSameBytes, fixture, floatsOf } from './support.js';

const CASES = ['a_bf16', 'a_f32', 'b_bf16', 'b_f32', 'c_bf16', 'c_f32', 'd_bf16', 'd_f32'];
const dtypeOf = (name: string): 'BF16' | 'F32' => (name.endsWith('bf16') ? 'BF16' : 'F32');

it('makes the maps', async () => {
  expect(NF4_MAP).toEqual(floatsOf((await fixture('nf4.quant_map')).bytes));
  expect(DYNAMIC_MAP).toEqual(floatsOf((await fixture('int8.code')).bytes));
});

describe.each(every)('$description', ({ kernels }) => {
  const encode = async (name: string, format: '4bit' | '8bit', doubleQuantization = false) => {
    const { shape, bytes } = await fixture(`${name}.input`);
    const options = { name: 't', dtype: dtypeOf(name), shape, format, doubleQuantization, kernels };
    const { encoder, planes } = await encodeTensor(options, bytes, 3);
    const decoded = await decode({ name: 't', shape, format, planes, kernels });
    return { encoder, planes, decoded: decoded.bytes };
  };

  it.each(CASES)('8bit of %s', async (name) => {
    const { planes, decoded } = await encode(name, '8bit');
    expectSameBytes(planes.get('t'), (await fixture(`${name}.int8.codes`)).bytes);
    expectSameBytes(planes.get('t.8bit.absmax'), (await fixture(`${name}.int8.absmax`)).bytes);
    expectSameBytes(planes.get('t.8bit.code'), (await fixture('int8.code')).bytes);
    expectSameBytes(decoded, (await fixture(`${name}.int8.dequant`)).bytes);
  });

  it.each(CASES)('4bit of %s', async (name) => {
    const { planes, decoded } = await encode(name, '4bit');
    expectSameBytes(planes.get('t'), (await fixture(`${name}.nf4.packed`)).bytes);
    expectSameBytes(planes.get('t.4bit.absmax'), (await fixture(`${name}.nf4.absmax`)).bytes);
    expectSameBytes(planes.get('t.4bit.quant_map'), (await fixture('nf4.quant_map')).bytes);
    expectSameBytes(decoded, (await fixture(`${name}.nf4.dequant`)).bytes);
  });

  it.each(CASES)('4bit of %s with double quantization', async (name) => {
    const { planes, decoded } = await encode(name, '4bit', true);
    expectSameBytes(planes.get('t'), (await fixture(`${name}.nf4.packed`)).bytes);
    expectSameBytes(planes.get('t.4bit.absmax'), (await fixture(`${name}.nf4.nested.absmax_u8`)).bytes);
    expectSameBytes(planes.get('t.4bit.nested_absmax'), (await fixture(`${name}.nf4.nested.absmax2`)).bytes);
    const state = new TextDecoder().decode(planes.get('t.4bit.quant_state.bitsandbytes__nf4'));
    const [offset] = floatsOf((await fixture(`${name}.nf4.nested.offset`)).bytes);
    expect(JSON.parse(state)).toMatchObject({ nested_blocksize: 256, nested_offset: offset });
    expectSameBytes(decoded, (await fixture(`${name}.nf4.nested.dequant`)).bytes);
  });

  it.each(CASES)('decodes FP4 of %s', async (name) => {
    const { shape } = await fixture(`${name}.input`);
    const planes = new Map([
      ['t', (await fixture(`${name}.fp4.packed`)).bytes],
      ['t.4bit.absmax', (await fixture(`${name}.fp4.absmax`)).bytes],
      ['t.4bit.quant_map', (await fixture('fp4.quant_map')).bytes],
    ]);
    const { bytes } = await decode({ name: 't', shape, format: '4bit', planes, kernels });
    expectSameBytes(bytes, (await fixture(`${name}.fp4.dequant`)).bytes);
  });

  it.each([
    ['a_bf16', '4bit', false, 'nf4.dequant', 1e-4],
    ['b_f32', '8bit', false, 'int8.dequant', 1e-4],
    ['a_f32', '4bit', true, 'nf4.nested.dequant', 2e-2],
  ] as const)('error figures of %s in %s (nested: %s)', async (name, format, nested, dequant, tolerance) => {
    const { bytes } = await fixture(`${name}.input`);
    const x = dtypeOf(name) === 'F32' ? floatsOf(bytes) : widenBf16(bytes);
    const y = floatsOf((await fixture(`${name}.${dequant}`)).bytes);
    const dot = (a: Float32Array, b: Float32Array): number =>
      a.reduce((sum, v, i) => sum + v * (b[i] ?? 0), 0);
    const difference = x.map((value, i) => value - (y[i] ?? 0));
    const { relativeRms, cosine, maxAbs } = (await encode(name, format, nested)).encoder.errors;
    const expected = Math.sqrt(dot(difference, difference) / dot(x, x));
    expect(Math.abs(relativeRms / expected - 1)).toBeLessThan(tolerance);
    expect(1 - cosine).toBeCloseTo(1 - dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y)), 4);
    const largest = difference.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    if (nested) expect(maxAbs).toBeGreaterThanOrEqual(largest);
    else expect(Math.abs(maxAbs / largest - 1)).toBeLessThan(tolerance);
  });
});

function widenBf16(bytes: Uint8Array): Float32Array {
  const words = new Uint16Array(bytes.slice().buffer);
  return new Float32Array(Uint32Array.from(words, (word) => word << 16).buffer);
}
