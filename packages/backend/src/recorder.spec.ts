// What recording promises: shapes are checked when an op is recorded, places are given when it is finished.

import { Recorder } from './recorder.js';
import type { Tensor } from './tensor.js';
import type { WeightRef } from './weight.js';

const matrix = (rows: number, cols: number): WeightRef => ({ name: 'w', shape: [rows, cols] });
const vector = (length: number): WeightRef => ({ name: 'v', shape: [length] });
const rope = { headDim: 4, rotaryDim: 4, style: 'half' as const };
const attention = { layer: 0, heads: 2, kvHeads: 1, headDim: 4, scale: 1 };

describe('shapes', () => {
  it('follow from the operands', () => {
    const rec = new Recorder();
    const x = rec.input(3, 8);
    const y = rec.linear(rec.rmsNorm(x, vector(4), 1e-5), matrix(5, 8), vector(5));
    expect([y.rows, y.cols]).toEqual([3, 5]);
    expect(rec.finish().commands.map(({ op }) => op)).toEqual(['rmsNorm', 'linear']);
  });

  const wrong: Record<string, (rec: Recorder, x: Tensor) => unknown> = {
    'linear of another width': (rec, x) => rec.linear(x, matrix(5, 7)),
    'linear by a vector': (rec, x) => rec.linear(x, vector(8)),
    'bias of another length': (rec, x) => rec.linear(x, matrix(5, 8), vector(4)),
    'norm that does not divide the columns': (rec, x) => rec.rmsNorm(x, vector(3), 1e-5),
    'norm by a matrix': (rec, x) => rec.rmsNorm(x, matrix(1, 8), 1e-5),
    'norm into another shape': (rec, x) => rec.rmsNorm(x, vector(8), 1e-5, x.columns(0, 4)),
    'embedding into another shape': (rec, x) => rec.embedding(matrix(9, 8), Uint32Array.of(1, 2), x),
    'rope with an odd rotary dimension': (rec, x) => rec.rope(x, { ...rope, rotaryDim: 3, cos: x, sin: x }),
    'rope with cosines of another shape': (rec, x) => rec.rope(x, { ...rope, cos: x, sin: x.columns(0, 2) }),
    'rope of half a head': (rec, x) =>
      rec.rope(x, { ...rope, headDim: 5, cos: x.columns(0, 2), sin: x.columns(0, 2) }),
    'attention heads that are no multiple': (rec, x) =>
      rec.attention(x, x, x, { ...attention, heads: 2, kvHeads: 3 }),
    'attention keys of another width': (rec, x) => rec.attention(x, x, x.columns(0, 4), attention),
    'attention with an empty window': (rec, x) =>
      rec.attention(x, x.columns(0, 4), x.columns(4, 4), { ...attention, window: 0 }),
    'glu of different shapes': (rec, x) => rec.glu(x, x.columns(0, 4), 'silu'),
    'sum of different shapes': (rec, x) => rec.accumulate(x, x.rowRange(0, 2)),
    'row past the end': (rec, x) => rec.gatherRows(x, Uint32Array.of(3)),
    'more experts chosen than there are': (rec, x) =>
      rec.experts(x, x.columns(0, 1), experts(2, [expert(6)])),
    'experts of different widths': (rec, x) =>
      rec.experts(x, x.columns(0, 2), experts(1, [expert(6), expert(7)])),
  };

  it.each(Object.entries(wrong))('refuses %s', (_, record) => {
    const rec = new Recorder();
    const x = rec.input(3, 8);
    expect(() => record(rec, x)).toThrow(expect.objectContaining({ code: 'INVALID_OPERAND' }));
  });

  function expert(width: number) {
    return { gate: matrix(width, 8), up: matrix(width, 8), down: matrix(8, width) };
  }

  function experts(topK: number, list: ReturnType<typeof expert>[]) {
    return { routing: { topK, normalizeTopK: true }, activation: 'silu' as const, experts: list };
  }
});

describe('order', () => {
  it('refuses inputs after the first op, and ops after the last', () => {
    const rec = new Recorder();
    const x = rec.input(1, 8);
    rec.accumulate(x, x);
    expect(() => rec.input(1, 8)).toThrow('before the first op');
    rec.finish();
    expect(() => rec.accumulate(x, x)).toThrow('after finish()');
  });
});

describe('places', () => {
  it('inputs lie in the same place in every program that declares them', () => {
    const offsets = [1, 5].map((ops) => {
      const rec = new Recorder();
      const inputs = [rec.input(3, 5), rec.input(2, 8), rec.input(1, 1)];
      let [x] = inputs as [Tensor];
      for (let i = 0; i < ops; i++) x = rec.linear(x, matrix(5, 5));
      rec.finish();
      return inputs.map(({ offset }) => offset);
    });
    // 15 elements round to 16, 16 stay 16.
    expect(offsets).toEqual([
      [0, 16, 32],
      [0, 16, 32],
    ]);
  });

  it('a chain of ops needs room for two tensors, however long it is', () => {
    const rec = new Recorder();
    let x = rec.input(1, 16);
    for (let i = 0; i < 50; i++) x = rec.linear(x, matrix(16, 16));
    expect(rec.finish().arenaElements).toBe(3 * 16);
  });

  it('an output is not written over', () => {
    const rec = new Recorder();
    const x = rec.input(1, 16);
    const kept = rec.output(rec.linear(x, matrix(16, 16)));
    const later: Tensor[] = [];
    let y = rec.linear(x, matrix(16, 16));
    for (let i = 0; i < 5; i++) later.push((y = rec.linear(y, matrix(16, 16))));
    rec.finish();
    expect(later.map(({ offset }) => offset)).not.toContain(kept.offset);
  });

  it('a view keeps its tensor alive', () => {
    const rec = new Recorder();
    const x = rec.input(1, 16);
    const qkv = rec.linear(x, matrix(48, 16));
    const other = rec.linear(x, matrix(16, 16));
    rec.accumulate(other, qkv.columns(32, 16));
    rec.finish();
    expect(other.offset).toBeGreaterThanOrEqual(qkv.offset + 48);
  });
});
