// What a caller may rely on: planes known beforehand, chunks of any allowed length, the order of calls, typed errors.

import { createEncoder, encodedPlanes, FORMATS, type EncoderOptions } from '../src/index.js';
import { createReferenceKernels } from '../src/reference/reference-kernels.js';
import { encodeTensor, expectSamePlanes } from './support.js';

const kernels = createReferenceKernels();
const BF16_ONE = 0x3f80;
const bf16 = (...words: number[]): Uint8Array => new Uint8Array(Uint16Array.from(words).buffer);
const noise = (elements: number): Uint8Array => {
  // A linear congruential generator: exponents 119 … 126, both signs.
  let seed = 1;
  return bf16(
    ...Array.from({ length: elements }, () => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31;
      return ((seed >> 8) & 0x83ff) | 0x3b80;
    }),
  );
};
const options = (format: EncoderOptions['format'], shape: number[]): EncoderOptions => ({
  name: 't',
  dtype: 'BF16',
  shape,
  format,
  kernels,
});

describe('planes', () => {
  it('of 4bit with double quantization: 0.516 bytes per weight', () => {
    const planes = encodedPlanes({
      name: 'w',
      dtype: 'BF16',
      shape: [4096, 4096],
      format: '4bit',
      doubleQuantization: true,
    });
    expect(planes.map(({ name, dtype, shape }) => [name, dtype, ...shape.slice(0, 1)])).toEqual([
      ['w', 'U8', 2 ** 23],
      ['w.4bit.absmax', 'U8', 2 ** 18],
      ['w.4bit.quant_map', 'F32', 16],
      ['w.4bit.quant_state.bitsandbytes__nf4', 'U8', expect.any(Number)],
      ['w.4bit.nested_absmax', 'F32', 1024],
      ['w.4bit.nested_quant_map', 'F32', 256],
    ]);
    const bytes = planes.reduce((sum, { byteLength }) => sum + byteLength, 0);
    // 1/2 + 1/64 + 4/(64 · 256) bytes, and maps and state of less than 2 kB.
    expect(bytes / 2 ** 24).toBeCloseTo(0.5 + 1 / 64 + 1 / 4096, 3);
  });

  it('of int4: two columns in a byte, a scale for each 128 columns begun', () => {
    const [codes, scales] = encodedPlanes({ name: 'w', dtype: 'F16', shape: [2, 3, 130], format: 'int4' });
    expect(codes).toEqual({ name: 'w', dtype: 'U8', shape: [6, 65], byteLength: 6 * 65 });
    expect(scales).toEqual({ name: 'w.int4.scales', dtype: 'F32', shape: [6, 2], byteLength: 48 });
  });

  it('of lossless are known after the survey alone', async () => {
    const encoder = await createEncoder(options('lossless', [2, 64]));
    expect(() => encoder.planes).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
    await encoder.survey(noise(64));
    expect(() => encoder.planes).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
    await encoder.survey(noise(64));
    expect(encoder.planes.map(({ name }) => name)).toEqual(['t', 't.lossless.codes', 't.lossless.escapes']);
  });

  it('of lossless are the tensor itself where it would not shrink', async () => {
    // 25 + 24 + 1 bytes are not fewer than 2 · 25.
    const short = await createEncoder(options('lossless', [4, 25]));
    expect(short.needsSurvey).toBe(false);
    expect(short.planes).toEqual([{ name: 't', dtype: 'BF16', shape: [4, 25], byteLength: 200 }]);
    // 64 exponents in one row, all different: 64 + 24 + 1 + 57 bytes are more than 128.
    const source = bf16(...Array.from({ length: 64 }, (_, i) => (i + 60) << 7));
    const { planes } = await encodeTensor(options('lossless', [1, 64]), source);
    expect(planes).toEqual(new Map([['t', source]]));
  });
});

describe.each(FORMATS)('chunks of %s', (format) => {
  it('of any allowed length give the same bytes', async () => {
    const source = noise(6 * 2048);
    const shape = format === '4bit' || format === '8bit' ? [6 * 2048] : [96, 128];
    const [one, two, all] = await Promise.all(
      [1, 2, 1000].map((chunks) => encodeTensor(options(format, shape), source, chunks)),
    );
    for (const other of [two, all]) expectSamePlanes(other?.planes ?? new Map(), one?.planes ?? new Map());
    expect(all?.encoder.errors.relativeRms).toBeCloseTo(one?.encoder.errors.relativeRms ?? NaN, 9);
  });

  it('may be absent: a tensor without elements', async () => {
    const { planes, encoder } = await encodeTensor(options(format, [0, 64]), new Uint8Array(0));
    expect(planes.get('t')).toEqual(new Uint8Array(0));
    expect(encoder.errors).toEqual({ relativeRms: 0, maxAbs: 0, cosine: 1 });
  });
});

describe('is refused', () => {
  it.each([
    ['a chunk that ends within a block', 63],
    ['a chunk with half an element', 64.5],
    ['more than the tensor has', 192],
    ['an empty chunk', 0],
  ])('%s', async (_, elements) => {
    const encoder = await createEncoder(options('4bit', [2, 64]));
    await expect(encoder.encode(new Uint8Array(2 * elements))).rejects.toMatchObject({
      code: 'INVALID_CHUNK',
      fields: { tensor: 't', found: 2 * elements },
    });
  });

  it('a finish before the last element, and anything after it', async () => {
    const encoder = await createEncoder(options('8bit', [2, 2048]));
    await encoder.encode(noise(2048));
    await expect(encoder.finish()).rejects.toMatchObject({ code: 'INVALID_STATE' });
    await encoder.encode(noise(2048));
    await encoder.finish();
    await expect(encoder.finish()).rejects.toMatchObject({ code: 'INVALID_STATE' });
  });

  it('a call while another is running', async () => {
    const encoder = await createEncoder(options('8bit', [2, 2048]));
    const first = encoder.encode(noise(2048));
    await expect(encoder.encode(noise(2048))).rejects.toMatchObject({ code: 'INVALID_STATE' });
    await expect(first).resolves.toHaveLength(2);
  });

  it('an encoding before the survey', async () => {
    const encoder = await createEncoder(options('lossless', [1, 64]));
    await expect(encoder.encode(noise(64))).rejects.toMatchObject({ code: 'INVALID_STATE' });
  });

  it('a source that changed after the survey', async () => {
    const encoder = await createEncoder(options('lossless', [1, 64]));
    await encoder.survey(bf16(...Array.from({ length: 64 }, () => BF16_ONE)));
    await expect(encoder.encode(noise(64))).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
      fields: { tensor: 't' },
    });
  });

  it.each([
    [{ dtype: 'F32', format: 'lossless' }, 'UNSUPPORTED_DTYPE'],
    [{ shape: [2, 3], format: 'int4' }, 'UNSUPPORTED_SHAPE'],
    [{ shape: [-1, 4] }, 'UNSUPPORTED_SHAPE'],
    [{ shape: [2 ** 30, 2 ** 30] }, 'UNSUPPORTED_SHAPE'],
    [{ doubleQuantization: true, format: '8bit' }, 'INVALID_OPTION'],
    [{ doubleQuantization: true, format: '4bit', nonFinite: 'keep' }, 'INVALID_OPTION'],
    [{ shape: [2 ** 26, 2 ** 26], format: '4bit', doubleQuantization: true }, 'UNSUPPORTED_SHAPE'],
  ] as const)('%j', async (change, code) => {
    const changed = { ...options('8bit', [2, 64]), ...change };
    await expect(createEncoder(changed)).rejects.toMatchObject({ code });
  });
});

describe.each(FORMATS)('NaN and Inf in %s', (format) => {
  const source = noise(4 * 2048);
  const words = new Uint16Array(source.buffer);
  words[3000] = 0xff80;
  words[3001] = 0x7fc0;

  it('are refused with tensor and element', async () => {
    await expect(encodeTensor(options(format, [64, 128]), source)).rejects.toMatchObject({
      code: 'NON_FINITE',
      fields: { tensor: 't', element: 3000, value: '0xff80' },
    });
  });

  it('are taken with nonFinite: keep', async () => {
    const { encoder } = await encodeTensor({ ...options(format, [64, 128]), nonFinite: 'keep' }, source);
    expect(encoder.errors.relativeRms).toBeLessThan(0.2);
  });
});
