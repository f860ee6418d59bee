// Cosines and sines of every rope type against transformers' own, at positions up to 40 000.

import { readFileSync } from 'node:fs';
import { ropeTables } from '@airllm/fixtures';
import { resolveModel, type Rope } from '../src/index.js';

interface RopeCase {
  config: Record<string, unknown>;
  passes: { sequence_length: number; positions: number[]; cos: number[][]; sin: number[][] }[];
}

const { cases } = JSON.parse(readFileSync(ropeTables, 'utf8')) as { cases: Record<string, RopeCase> };

/** One unit in the last place of a float32 near 1; powers and cosines of two libraries differ by about one. */
const ULP = 2 ** -23;

it.each(Object.entries(cases))('%s', (_, { config, passes }) => {
  const rope = ropeOf(config);
  for (const { sequence_length: sequenceLength, positions, cos, sin } of passes) {
    positions.forEach((position, i) => {
      const half = rope.rotaryDim / 2;
      const actual = { cos: new Float32Array(half), sin: new Float32Array(half) };
      rope.fill({
        ...actual,
        row: 0,
        start: position,
        count: 1,
        sequenceLength,
        promptLength: sequenceLength,
      });
      // An angle is a frequency of at most 1 times the position: one ulp of the frequency is that of the angle.
      const tolerance = ULP * (4 + 2 * position);
      expect(largestDifference(actual.cos, cos[i])).toBeLessThan(tolerance);
      expect(largestDifference(actual.sin, sin[i])).toBeLessThan(tolerance);
      if (position !== 1) return;
      // At position 1 the sine is nearly the frequency: a relative bound shows the smallest ones too.
      actual.sin.forEach((value, j) =>
        expect(Math.abs(value / (sin[i]?.[j] ?? NaN) - 1)).toBeLessThan(4 * ULP),
      );
    });
  }
});

it('writes a chunk of positions from the given row on and leaves the other rows', () => {
  const rope = ropeOf(cases['default']?.config);
  const cos = new Float32Array(4 * 8).fill(9);
  const sin = new Float32Array(4 * 8).fill(9);
  rope.fill({ cos, sin, row: 1, start: 3, count: 2, sequenceLength: 5, promptLength: 5 });
  // Column 0 has frequency 1 for every theta.
  const expected = [9, Math.cos(3), Math.cos(4), 9];
  [0, 8, 16, 24].forEach((at, i) => expect(cos[at]).toBeCloseTo(expected[i] ?? NaN, 6));
  expect(() =>
    rope.fill({ cos, sin, row: 3, start: 0, count: 2, sequenceLength: 2, promptLength: 2 }),
  ).toThrow(RangeError);
});

it.each([
  ['default', [1, 100_000], false],
  ['dynamic', [1, 16], false],
  ['longrope', [1, 16], true],
] as const)('%s keeps its variant up to the original length', (name, [short, stillShort], restarts) => {
  const rope = ropeOf(cases[name]?.config);
  expect(rope.variant(short, 1)).toBe(rope.variant(stillShort, 1));
  expect(rope.restartsOnChange).toBe(restarts);
});

it('changes the variant of dynamic with every length past the original, of longrope once', () => {
  const dynamic = ropeOf(cases['dynamic']?.config);
  expect(new Set([16, 17, 18].map((length) => dynamic.variant(length, 1))).size).toBe(3);
  const longrope = ropeOf(cases['longrope']?.config);
  expect(new Set([16, 17, 18].map((length) => longrope.variant(length, 1))).size).toBe(2);
});

/** The one rotary embedding of a Llama config. */
function ropeOf(config: Record<string, unknown> | undefined): Rope {
  const [rope] = resolveModel({ architectures: ['LlamaForCausalLM'], ...config }).ropes;
  if (!rope) throw new Error('Expected a rotary embedding');
  return rope;
}

function largestDifference(actual: Float32Array, expected: number[] | undefined): number {
  expect(actual).toHaveLength(expected?.length ?? NaN);
  return actual.reduce((max, value, i) => Math.max(max, Math.abs(value - (expected?.[i] ?? NaN))), 0);
}
