// binary16 by the examples of its definition (IEEE 754, and the table in Wikipedia's article on it).

import { encodeWeights } from '../conformance/encode-weights.js';
import { float16ToNumber } from './float16.js';

const EXAMPLES: [bits: number, value: number][] = [
  [0x0000, 0],
  [0x0001, 2 ** -24],
  [0x03ff, 2 ** -14 * (1023 / 1024)],
  [0x0400, 2 ** -14],
  [0x3555, 0.333251953125],
  [0x3c00, 1],
  [0x3c01, 1 + 2 ** -10],
  [0x7bff, 65504],
  [0xc000, -2],
];

it.each([...EXAMPLES, [0x7c00, Infinity], [0xfc00, -Infinity], [0x8000, -0], [0x7e00, NaN]])(
  '%p is %p',
  (bits, value) => {
    expect(float16ToNumber(bits)).toBe(value);
  },
);

it.each(EXAMPLES)('%p is what the conformance suite writes for %p', (bits, value) => {
  expect([...encodeWeights('f16', Float32Array.of(value))]).toEqual([bits & 0xff, bits >> 8]);
});

it('bfloat16 is the upper half of float32', () => {
  // 1 = 0x3f800000, −2.5 = 0xc0200000; little-endian.
  expect([...encodeWeights('bf16', Float32Array.of(1, -2.5))]).toEqual([0x80, 0x3f, 0x20, 0xc0]);
});
