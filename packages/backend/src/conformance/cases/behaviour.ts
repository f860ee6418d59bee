// What holds between submissions: order, visibility, independence of arenas, reuse of weight memory.

import type { Command } from '../../command.js';
import type { ConformanceCase } from '../conformance-case.js';
import { encodeWeights } from '../encode-weights.js';
import type { WeightSlice } from '../../weight.js';
import { behaviourCase, complainUnlessEqual, tensorAt } from './checks.js';

const x = tensorAt(0, 1, 3);
const y = tensorAt(16, 1, 3);
const double: Command<WeightSlice> = { op: 'accumulate', x, y: x };
const addY: Command<WeightSlice> = { op: 'accumulate', x, y };

export function behaviourCases(): ConformanceCase[] {
  return [
    behaviourCase('submissions, writes and reads run in the order given', async (backend) => {
      const arena = backend.createArena(32);
      const written = arena.write(x, Float32Array.of(1, 2, 3));
      const filled = backend.submit({ commands: [{ op: 'fill', x: y, value: 10 }], arena });
      const added = backend.submit({ commands: [addY], arena });
      const between = arena.read(x);
      const doubled = backend.submit({ commands: [double, double], arena });
      const rewritten = arena.write(y, Float32Array.of(0.5, 0.5, 0.5));
      const last = backend.submit({ commands: [addY], arena });
      const after = arena.read(x);
      await Promise.all([written, filled, added, doubled, rewritten, last]);
      // (1, 2, 3) + 10, then · 4 + 0.5.
      const wrong =
        complainUnlessEqual(await between, [11, 12, 13]) ??
        complainUnlessEqual(await after, [44.5, 48.5, 52.5]);
      arena.dispose();
      return wrong;
    }),
    behaviourCase('arenas are independent', async (backend) => {
      const arenas = [1, 2, 3].map(() => backend.createArena(19));
      await Promise.all(
        arenas.map((arena, i) =>
          backend.submit({ commands: [{ op: 'fill', x, value: i + 1 }, double], arena }),
        ),
      );
      const found = await Promise.all(arenas.map((arena) => arena.read(x)));
      for (const arena of arenas) arena.dispose();
      return found
        .map((data, i) => complainUnlessEqual(data, [2 * (i + 1), 2 * (i + 1), 2 * (i + 1)]))
        .find((wrong) => wrong !== undefined);
    }),
    behaviourCase('a submission without commands resolves', async (backend) => {
      const arena = backend.createArena(16);
      const { computeSeconds } = await backend.submit({ commands: [], arena });
      arena.dispose();
      return computeSeconds >= 0 ? undefined : `expected seconds but received ${computeSeconds}`;
    }),
    behaviourCase('read and write follow row strides', async (backend) => {
      const arena = backend.createArena(32);
      await arena.write(tensorAt(0, 1, 32), new Float32Array(32));
      const columns = tensorAt(2, 3, 5).columns(1, 2);
      await arena.write(columns, Float32Array.of(1, 2, 3, 4, 5, 6));
      const whole = await arena.read(tensorAt(2, 3, 5));
      const view = await arena.read(columns);
      arena.dispose();
      return (
        complainUnlessEqual(whole, [0, 1, 2, 0, 0, 0, 3, 4, 0, 0, 0, 5, 6, 0, 0]) ??
        complainUnlessEqual(view, [1, 2, 3, 4, 5, 6])
      );
    }),
    behaviourCase('weights are read again by every submission', async (backend) => {
      const arena = backend.createArena(32);
      const memory = backend.allocateWeights(12);
      const weight: WeightSlice = { memory, byteOffset: 0, dtype: 'f32', rows: 3, cols: 1 };
      const one = tensorAt(16, 1, 1);
      const linear: Command<WeightSlice> = {
        op: 'linear',
        x: one,
        weight,
        bias: undefined,
        normalizeRows: false,
        out: x,
      };
      await arena.write(one, Float32Array.of(2));
      const found: Float32Array[] = [];
      for (const values of [Float32Array.of(1, 2, 3), Float32Array.of(-4, 5, 0.25)]) {
        memory.bytes.set(encodeWeights('f32', values));
        await backend.submit({ commands: [linear], arena });
        found.push(await arena.read(x));
      }
      memory.dispose();
      arena.dispose();
      const [first = new Float32Array(), second = new Float32Array()] = found;
      return complainUnlessEqual(first, [2, 4, 6]) ?? complainUnlessEqual(second, [-8, 10, 0.5]);
    }),
    behaviourCase('weight memory has the length asked for', async (backend) => {
      for (const byteLength of [1, 4095, 4097, 1 << 20]) {
        const memory = backend.allocateWeights(byteLength);
        const found = memory.bytes.byteLength;
        memory.dispose();
        if (found !== byteLength) return `expected ${byteLength} bytes but received ${found}`;
      }
      return undefined;
    }),
  ];
}
