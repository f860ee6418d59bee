// Native bytes are those of the TypeScript reference, for every format, dtype, shape of tail and kind of value.

import { createHash } from 'node:crypto';
import {
  createReferenceKernels,
  decode,
  FORMATS,
  openKernels,
  type EncoderOptions,
  type SourceDType,
} from '../src/index.js';
import { native } from './every-kernels.js';
import { encodeTensor, expectSameBytes, expectSamePlanes } from './support.js';

const reference = createReferenceKernels();
const KINDS = ['gaussian', 'all bit patterns', 'subnormal', 'zeros', 'equal magnitudes', 'huge'] as const;

/** Random words of a 32-bit xorshift generator (Marsaglia 2003). */
function randomWords(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

function valuesOf(kind: (typeof KINDS)[number], count: number): Float32Array {
  const next = randomWords(count + 1);
  const uniform = (): number => next() / 2 ** 32;
  const bits = Uint32Array.from({ length: kind === 'all bit patterns' ? count : 0 }, () => {
    const word = next();
    // NaN and Inf become large numbers: they have tests of their own.
    return (word & 0x7f800000) === 0x7f800000 ? word & 0xfeffffff : word;
  });
  switch (kind) {
    case 'gaussian':
      return Float32Array.from({ length: count }, () => {
        return 0.02 * Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
      });
    case 'all bit patterns':
      return new Float32Array(bits.buffer);
    case 'subnormal':
      return Float32Array.from({ length: count }, () => (uniform() - 0.5) * 2 ** -128);
    case 'zeros':
      return Float32Array.from({ length: count }, (_, i) => (i % 3 === 0 ? -0 : 0));
    case 'equal magnitudes':
      return Float32Array.from({ length: count }, () => (next() % 2 === 0 ? 0.5 : -0.5));
    case 'huge':
      return Float32Array.from({ length: count }, () => (uniform() - 0.5) * 6e38);
  }
}

/** The leading bits of float32 values; as F16 the leading 16 bits are another, equally varied number. */
function sourceOf(values: Float32Array, dtype: SourceDType): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(values.buffer);
  const words = Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16);
  return new Uint8Array(dtype === 'F16' ? words.map(finiteF16).buffer : words.buffer);
}

function finiteF16(word: number): number {
  return (word & 0x7c00) === 0x7c00 ? word & 0xbfff : word;
}

const encodedByReference = new Map<string, ReturnType<typeof encodeTensor>>();

/** Encoded once for all instruction sets. */
function referenceOf(options: EncoderOptions, source: Uint8Array): ReturnType<typeof encodeTensor> {
  const key = `${JSON.stringify(options)} ${createHash('sha256').update(source).digest('hex')}`;
  const encoded = encodedByReference.get(key) ?? encodeTensor({ ...options, kernels: reference }, source);
  encodedByReference.set(key, encoded);
  return encoded;
}

describe.each(native)('$description', ({ kernels }) => {
  describe.each(FORMATS)('%s', (format) => {
    const dtypes = format === 'lossless' ? (['BF16'] as const) : (['F32', 'F16', 'BF16'] as const);
    // Whole blocks of every format; a tail in each of them; rows of less than a tile.
    const shapes = [
      [5, 2048],
      [3, 2114],
      [7, 30],
    ];
    it.each(
      KINDS.flatMap((kind) =>
        dtypes.flatMap((dtype) => shapes.map((shape) => [kind, dtype, shape] as const)),
      ),
    )('%s, %s %j', async (kind, dtype, shape) => {
      const values = valuesOf(
        kind,
        shape.reduce((product, size) => product * size, 1),
      );
      const bytes = sourceOf(values, dtype);
      // At an odd address, as a chunk of a file may lie.
      const source = new Uint8Array(bytes.length + 1).subarray(1);
      source.set(bytes);
      const options = { name: 't', dtype, shape, format };
      const expected = await referenceOf(options, source);
      const { planes, encoder } = await encodeTensor({ ...options, kernels }, source, 1000);
      expectSamePlanes(planes, expected.planes);
      const { relativeRms, cosine } = expected.encoder.errors;
      expect(Math.abs(encoder.errors.relativeRms - relativeRms)).toBeLessThan(
        1e-5 * Math.max(relativeRms, 0.01),
      );
      expect(encoder.errors.cosine).toBeCloseTo(cosine, 6);
      const decoded = await decode({ name: 't', shape, format, planes, kernels });
      const again = await decode({ name: 't', shape, format, planes, kernels: reference });
      expectSameBytes(decoded.bytes, again.bytes);
      if (format === 'lossless') expectSameBytes(decoded.bytes, source);
    });

    it('keeps NaN and Inf as the reference does', async () => {
      const values = valuesOf('gaussian', 9 * 700);
      for (const [i, value] of [
        [5, NaN],
        [701, Infinity],
        [6299, -Infinity],
      ] as const)
        values[i] = value;
      const source = sourceOf(values, 'BF16');
      const options = { name: 't', dtype: 'BF16', shape: [9, 700], format, nonFinite: 'keep' } as const;
      const expected = await encodeTensor({ ...options, kernels: reference }, source);
      const { planes } = await encodeTensor({ ...options, kernels }, source, 4);
      expectSamePlanes(planes, expected.planes);
    });
  });

  it('quantizes factors as the reference does', async () => {
    // 40 × 16384 elements: 10240 factors, enough for the upper levels of the mean's partial sums.
    const source = sourceOf(valuesOf('gaussian', 40 * 16384), 'BF16');
    const options = {
      name: 't',
      dtype: 'BF16',
      shape: [40, 16384],
      format: '4bit',
      doubleQuantization: true,
    } as const;
    const expected = await encodeTensor({ ...options, kernels: reference }, source, 1000);
    const { planes, encoder } = await encodeTensor({ ...options, kernels }, source, 1000);
    expectSamePlanes(planes, expected.planes);
    expect(encoder.errors.relativeRms).toBeCloseTo(expected.encoder.errors.relativeRms, 7);
    expect(encoder.errors.maxAbs).toBeCloseTo(expected.encoder.errors.maxAbs, 7);
  });

  it('has the same sums whatever the number of threads', async () => {
    const source = sourceOf(valuesOf('gaussian', 2 ** 20), 'BF16');
    const options = { name: 't', dtype: 'BF16', shape: [1024, 1024], format: '8bit' } as const;
    const instructionSet = (/native (\w+)/.exec(kernels.description)?.[1] ?? 'auto') as 'auto';
    const one = await encodeTensor(
      { ...options, kernels: openKernels({ instructionSet, threads: 1 }) },
      source,
      1000,
    );
    const three = await encodeTensor({ ...options, kernels }, source, 1000);
    expect(three.encoder.errors).toEqual(one.encoder.errors);
  });
});
