import { readFileSync } from 'node:fs';
import type { RoutingRule } from '@airllm/backend';
import { routeExperts } from './route.js';

interface RoutingCase {
  readonly rule: Partial<RoutingRule> & { topK: number };
  readonly correctionBias: readonly number[] | null;
  readonly logits: readonly (readonly number[])[];
  /** Per row: experts by ascending number, with their weights. */
  readonly chosen: readonly (readonly (readonly [expert: number, weight: number])[])[];
}

/** Made by fixtures/routing/generate.py with the routers of transformers. */
const { experts, cases } = JSON.parse(
  readFileSync(new URL('../../fixtures/routing/routing.json', import.meta.url), 'utf8'),
) as { experts: number; cases: Record<string, RoutingCase> };

const PLAIN: RoutingRule = {
  topK: 2,
  scoring: 'softmax',
  normalizeTopK: false,
  scale: 1,
  correctionBias: undefined,
  groups: undefined,
  scaleInput: false,
};

describe.each(Object.entries(cases))('%s', (_, { rule, correctionBias, logits, chosen }) => {
  const routed = routeExperts(
    Float32Array.from(logits.flat()),
    experts,
    { ...PLAIN, ...rule },
    correctionBias ? Float32Array.from(correctionBias) : undefined,
  );

  it.each(chosen.map((expected, row) => [row, expected] as const))(
    'row %i has the experts and weights of the reference',
    (row, expected) => {
      const actual = routed.flatMap(({ expert, rows, scales }) =>
        [...rows].flatMap((at, i) => (at === row ? [[expert, scales[i] ?? NaN] as const] : [])),
      );
      expect(actual.map(([expert]) => expert)).toEqual(expected.map(([expert]) => expert));
      actual.forEach(([, weight], i) => {
        // The reference is float32: a few units in the last place.
        expect(Math.abs(weight / (expected[i]?.[1] ?? NaN) - 1)).toBeLessThan(1e-5);
      });
    },
  );

  it('lists each expert that was chosen once, in ascending order', () => {
    const numbers = routed.map(({ expert }) => expert);
    expect(numbers).toEqual([...new Set(chosen.flat().map(([expert]) => expert))].sort((a, b) => a - b));
  });
});

describe('routeExperts', () => {
  it('prefers the lower index on ties', () => {
    const routed = routeExperts(Float32Array.of(1, 3, 3, 3), 4, PLAIN);
    expect(routed.map(({ expert }) => expert)).toEqual([1, 2]);
  });

  it('stays finite for logits whose exponentials are not', () => {
    const [first] = routeExperts(Float32Array.of(1000, -1000), 2, { ...PLAIN, topK: 1 });
    expect(first?.scales).toEqual(Float32Array.of(1));
    // sigmoid(−1000) is 0 in float64, so both weights are 0 / (0 + 1e-20).
    const rule: RoutingRule = { ...PLAIN, scoring: 'sigmoid', normalizeTopK: true };
    const scales = routeExperts(Float32Array.of(-1000, -1000), 2, rule).map((expert) => expert.scales[0]);
    expect(scales).toEqual([0, 0]);
  });

  it('refuses a missing or misshapen correction bias', () => {
    const rule = { ...PLAIN, correctionBias: { name: 'bias', shape: [2] } };
    expect(() => routeExperts(Float32Array.of(1, 2), 2, rule)).toThrow(/2 values/);
    expect(() => routeExperts(Float32Array.of(1, 2), 2, rule, Float32Array.of(1))).toThrow(/2 values/);
  });
});
