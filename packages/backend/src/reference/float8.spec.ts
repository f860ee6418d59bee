// e4m3 by the examples of its definition (OCP 8-bit Floating Point Specification 1.0, table 2).

import { encodeWeights } from '../conformance/encode-weights.js';
import { float8ToNumber } from './float8.js';

const EXAMPLES: [bits: number, value: number][] = [
  [0x00, 0],
  [0x01, 2 ** -9],
  [0x07, 0.875 * 2 ** -6],
  [0x08, 2 ** -6],
  [0x38, 1],
  [0x39, 1.125],
  [0x7e, 448],
  [0xc0, -2],
  [0xfe, -448],
];

it.each([...EXAMPLES, [0x80, -0], [0x7f, NaN], [0xff, NaN]])('%p is %p', (bits, value) => {
  expect(float8ToNumber(bits)).toBe(value);
});

it.each(EXAMPLES)('%p is what the conformance suite writes for %p', (bits, value) => {
  expect([...encodeWeights('f8e4m3', Float32Array.of(value))]).toEqual([bits]);
});
