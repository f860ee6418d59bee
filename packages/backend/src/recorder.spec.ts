// What recording promises: shapes are checked when an op is recorded, places are given when it is finished.

import type { ExpertsCommand, RoutingRule } from './experts.js';
import type { ExpertsOptions, GatedDeltaInputs } from './record-options.js';
import { Recorder, type Program } from './recorder.js';
import type { Tensor } from './tensor.js';
import type { WeightRef } from './weight.js';

const matrix = (rows: number, cols: number): WeightRef => ({ name: 'w', shape: [rows, cols] });
/** Of a convolution over four rows. */
const kernel = (channels: number): WeightRef => ({ ...matrix(channels, 4), whole: true });
const vector = (length: number): WeightRef => ({ name: 'v', shape: [length] });
const rope = { headDim: 4, rotaryDim: 4, style: 'half' as const };
const attention = { layer: 0, heads: 2, kvHeads: 1, headDim: 4, scale: 1 };

/** Two heads: queries of 2 + 2, latents of 5 + 2, values of 3. */
const latent = {
  ...{ layer: 0, heads: 2, rank: 5, nopeDim: 2, ropeDim: 2, valueDim: 3, scale: 1 },
  kvB: { ...matrix(10, 5), whole: true },
};

/** Four value heads of 2 over two key heads of 2. */
const delta = {
  ...{ layer: 0, keyHeads: 2, valueHeads: 4, keyDim: 2, valueDim: 2 },
  ...{ aLog: vector(4), dtBias: vector(4) },
};

function deltaInputs(x: Tensor): GatedDeltaInputs {
  const four = x.columns(0, 4);
  return { q: four, k: four, v: x, a: four, b: four };
}

/** Experts that pass their input on. */
function experts(topK: number, count: number, rule: Partial<RoutingRule> = {}): ExpertsOptions {
  const routing: RoutingRule = {
    ...{ topK, scoring: 'softmax', normalizeTopK: true, scale: 1, scaleInput: false },
    ...{ correctionBias: undefined, groups: undefined },
    ...rule,
  };
  return { routing, count, record: (_, x) => x };
}

describe('shapes', () => {
  it('follow from the operands', () => {
    const rec = new Recorder();
    const x = rec.input(3, 8);
    const y = rec.linear(rec.rmsNorm(x, { weight: vector(4), eps: 1e-5 }), matrix(5, 8), { bias: vector(5) });
    expect([y.rows, y.cols]).toEqual([3, 5]);
    expect(rec.finish().commands.map(({ op }) => op)).toEqual(['rmsNorm', 'linear']);
  });

  it.each<[string, (rec: Recorder, x: Tensor) => Tensor, cols: number]>([
    ['linearTransposed', (rec, x) => rec.linearTransposed(x, matrix(8, 5), { bias: vector(5) }), 5],
    ['attention', (rec, x) => rec.attention(x, x.columns(0, 4), x.columns(4, 4), attention), 8],
    ['latentAttention', (rec, x) => rec.latentAttention(x, x.columns(0, 7), latent), 6],
    ['shortConv', (rec, x) => rec.shortConv(x, kernel(8), { layer: 0, bias: vector(8) }), 8],
    ['gatedDelta', (rec, x) => rec.gatedDelta(deltaInputs(x), delta), 8],
    ['clampedGlu', (rec, x) => rec.clampedGlu(x, { alpha: 1.7, limit: 7 }), 4],
    ['ungroup', (rec, x) => rec.ungroup(x, { groupWidth: 4, start: 1, count: 3 }), 6],
    ['gatherRows', (rec, x) => rec.gatherRows(x, Uint32Array.of(2, 0, 1)), 8],
    ['sigmoidGate', (rec, x) => rec.sigmoidGate(x, x.columns(0, 1)), 8],
    ['experts', (rec, x) => rec.experts(x, x.columns(0, 2), experts(1, 2)), 8],
  ])('of %s', (op, record, cols) => {
    const rec = new Recorder();
    const y = record(rec, rec.input(3, 8));
    expect([y.rows, y.cols]).toEqual([3, cols]);
    expect(rec.finish().commands.at(-1)?.op).toBe(op);
  });

  it('of norms: groups are as wide as the weight, or as the row, or as told', () => {
    const rec = new Recorder();
    const x = rec.input(3, 8);
    rec.rmsNorm(x, { weight: vector(4), eps: 0 });
    rec.rmsNorm(x, { eps: 0 });
    rec.rmsNorm(x, { weight: vector(8), groupWidth: 2, eps: 0 });
    rec.layerNorm(x, { weight: vector(8), bias: vector(8), eps: 0 });
    const widths = rec.finish().commands.map((command) => 'groupWidth' in command && command.groupWidth);
    expect(widths).toEqual([4, 8, 2, 8]);
  });

  const wrong: Record<string, (rec: Recorder, x: Tensor) => unknown> = {
    'linear of another width': (rec, x) => rec.linear(x, matrix(5, 7)),
    'linear by a vector': (rec, x) => rec.linear(x, vector(8)),
    'bias of another length': (rec, x) => rec.linear(x, matrix(5, 8), { bias: vector(4) }),
    'bias beside rows of unit length': (rec, x) =>
      rec.linear(x, matrix(5, 8), { bias: vector(5), normalizeRows: true }),
    'linearTransposed of another width': (rec, x) => rec.linearTransposed(x, matrix(7, 5)),
    'norm that does not divide the columns': (rec, x) => rec.rmsNorm(x, { weight: vector(3), eps: 1e-5 }),
    'norm of groups that do not divide the columns': (rec, x) => rec.rmsNorm(x, { groupWidth: 3, eps: 1e-5 }),
    'norm of groups by a weight of another length': (rec, x) =>
      rec.rmsNorm(x, { weight: vector(4), groupWidth: 2, eps: 1e-5 }),
    'norm by a matrix': (rec, x) => rec.rmsNorm(x, { weight: matrix(1, 8), eps: 1e-5 }),
    'norm into another shape': (rec, x) =>
      rec.rmsNorm(x, { weight: vector(8), eps: 1e-5, out: x.columns(0, 4) }),
    'norm with a bias of another length': (rec, x) =>
      rec.layerNorm(x, { weight: vector(8), bias: vector(4), eps: 1e-5 }),
    'embedding into another shape': (rec, x) => rec.embedding(matrix(9, 8), Uint32Array.of(1, 2), x),
    'rope with an odd rotary dimension': (rec, x) => rec.rope(x, { ...rope, rotaryDim: 3, cos: x, sin: x }),
    'rope with cosines of another shape': (rec, x) => rec.rope(x, { ...rope, cos: x, sin: x.columns(0, 2) }),
    'rope of half a head': (rec, x) =>
      rec.rope(x, { ...rope, headDim: 5, cos: x.columns(0, 2), sin: x.columns(0, 2) }),
    'rope past the end of a head': (rec, x) =>
      rec.rope(x, { ...rope, rotaryStart: 2, cos: x.columns(0, 2), sin: x.columns(0, 2) }),
    'attention heads that are no multiple': (rec, x) =>
      rec.attention(x, x, x, { ...attention, heads: 2, kvHeads: 3 }),
    'attention keys of another width': (rec, x) => rec.attention(x, x, x.columns(0, 4), attention),
    ...Object.fromEntries(
      [{ window: 0 }, { chunk: 0 }, { softcap: -1 }, { sinks: vector(3) }, { alibiSlopes: [1] }].map(
        (option) => [
          `attention with ${JSON.stringify(option)}`,
          (rec: Recorder, x: Tensor) =>
            rec.attention(x, x.columns(0, 4), x.columns(4, 4), { ...attention, ...option }),
        ],
      ),
    ),
    'latentAttention by a weight in blocks': (rec, x) =>
      rec.latentAttention(x, x.columns(0, 7), { ...latent, kvB: matrix(10, 5) }),
    'latentAttention of latents of another width': (rec, x) => rec.latentAttention(x, x, latent),
    'latentAttention by a weight of other heads': (rec, x) =>
      rec.latentAttention(x, x.columns(0, 7), { ...latent, kvB: { ...matrix(9, 5), whole: true } }),
    'shortConv of other channels': (rec, x) => rec.shortConv(x, kernel(7), { layer: 0 }),
    'shortConv by a weight that may be cut': (rec, x) => rec.shortConv(x, matrix(8, 4), { layer: 0 }),
    'gatedDelta of heads that are no multiple': (rec, x) =>
      rec.gatedDelta(deltaInputs(x), { ...delta, keyHeads: 3 }),
    'gatedDelta with decays of other heads': (rec, x) =>
      rec.gatedDelta(deltaInputs(x), { ...delta, aLog: vector(2) }),
    'gatedDelta with rates of other heads': (rec, x) =>
      rec.gatedDelta({ ...deltaInputs(x), b: x.columns(0, 2) }, delta),
    'glu of different shapes': (rec, x) => rec.glu(x, x.columns(0, 4), 'silu'),
    'clampedGlu of an odd number of columns': (rec, x) =>
      rec.clampedGlu(x.columns(0, 7), { alpha: 1, limit: 1 }),
    'sigmoidGate by some of the columns': (rec, x) => rec.sigmoidGate(x, x.columns(0, 2)),
    'cap of zero': (rec, x) => rec.softcap(x, 0),
    'row scales of several columns': (rec, x) => rec.scaleRows(x, x.columns(0, 2)),
    'sum of different shapes': (rec, x) => rec.accumulate(x, x.rowRange(0, 2)),
    'columns past their group': (rec, x) => rec.ungroup(x, { groupWidth: 4, start: 2, count: 3 }),
    'groups that do not divide the columns': (rec, x) =>
      rec.ungroup(x, { groupWidth: 3, start: 0, count: 1 }),
    'row past the end': (rec, x) => rec.gatherRows(x, Uint32Array.of(3)),
    'more experts chosen than there are': (rec, x) => rec.experts(x, x.columns(0, 1), experts(2, 1)),
    'logits of other experts': (rec, x) => rec.experts(x, x.columns(0, 3), experts(1, 2)),
    'a correction of other experts': (rec, x) =>
      rec.experts(x, x.columns(0, 2), experts(1, 2, { correctionBias: vector(3) })),
    'groups that do not divide the experts': (rec, x) =>
      rec.experts(x, x.columns(0, 3), experts(1, 3, { groups: { count: 2, topGroups: 1, score: 'max' } })),
    'more experts chosen than their groups have': (rec, x) =>
      rec.experts(x, x.columns(0, 4), experts(3, 4, { groups: { count: 2, topGroups: 1, score: 'max' } })),
  };

  it.each(Object.entries(wrong))('refuses %s', (_, record) => {
    const rec = new Recorder();
    const x = rec.input(3, 8);
    expect(() => record(rec, x)).toThrow(expect.objectContaining({ code: 'INVALID_OPERAND' }));
  });
});

describe('experts', () => {
  it('have weights of their own and tensors in common', () => {
    const { mixture } = recorded((rec, x, expert) =>
      rec.linear(rec.linear(x, named(`up.${expert}`, 5, 8)), named(`down.${expert}`, 8, 5)),
    );
    const programs = [0, 3, 1].map((expert) => mixture.record(expert));
    const weights = programs.map(({ commands }) =>
      commands.map((command) => command.op === 'linear' && command.weight.name),
    );
    expect(weights).toEqual([
      ['up.0', 'down.0'],
      ['up.3', 'down.3'],
      ['up.1', 'down.1'],
    ]);
    const places = programs.map(({ commands, input, output }) => [
      input.offset,
      output.offset,
      ...commands.map((command) => command.op === 'linear' && command.out.offset),
    ]);
    expect(places[1]).toEqual(places[0]);
    expect(places[2]).toEqual(places[0]);
  });

  it('work beside what is alive, in memory that later ops use again', () => {
    const rec = new Recorder();
    const x = rec.input(1, 16);
    const logits = rec.linear(x, matrix(2, 16));
    const out = rec.experts(x, logits, {
      ...experts(1, 2),
      record: (expert, input) => expert.linear(expert.linear(input, matrix(16, 16)), matrix(16, 16)),
    });
    const later = rec.linear(out, matrix(32, 16));
    const { commands, arenaElements } = rec.finish();
    const mixture = mixtureOf(commands);
    const { input, commands: inner } = mixture.record(1);
    const scratch = [input, ...inner.map((command) => (command.op === 'linear' ? command.out : input))];
    const alive = [x, logits, out].map(({ offset }) => offset);
    for (const { offset } of scratch) expect(alive).not.toContain(offset);
    expect(new Set(scratch.map(({ offset }) => offset)).size).toBe(3);
    // x, logits (2 round to 16), out, one held output and three of 16 for the expert: later lies where these were.
    expect(arenaElements).toBe(7 * 16);
    expect([mixture.held, ...scratch].map(({ offset }) => offset)).toContain(later.offset);
  });

  it('start from an output of zeros', () => {
    const { commands, out } = recorded((_, x) => x);
    expect(commands.map(({ op }) => op)).toEqual(['fill', 'experts']);
    expect(commands[0]).toMatchObject({ value: 0, x: out });
  });

  it.each<[string, ExpertsOptions['record']]>([
    ['another shape', (rec, x) => rec.linear(x, matrix(7, 8))],
    ['a mixture inside', (rec, x) => rec.experts(x, x.columns(0, 2), experts(1, 2))],
    ['an input of their own', (rec) => rec.input(3, 8)],
  ])('refuse %s', (_, record) => {
    expect(() => recorded(record)).toThrow(expect.objectContaining({ code: 'INVALID_OPERAND' }));
  });

  it('refuse tensors of the program around them', () => {
    const rec = new Recorder();
    const x = rec.input(3, 8);
    const options = { ...experts(1, 2), record: (expert: Recorder) => expert.linear(x, matrix(8, 8)) };
    expect(() => rec.experts(x, x.columns(0, 2), options)).toThrow('uses one from outside');
  });

  it.each<[string, ExpertsOptions['record']]>([
    [
      'other shapes',
      (rec, x, expert) => rec.linear(rec.linear(x, matrix(5 + expert, 8)), matrix(8, 5 + expert)),
    ],
    ['more tensors', (rec, x, expert) => (expert === 0 ? x : rec.linear(x, matrix(8, 8)))],
  ])('refuse %s than the first has', (_, record) => {
    const { mixture } = recorded(record);
    expect(() => mixture.record(1)).toThrow(expect.objectContaining({ code: 'INVALID_OPERAND' }));
  });

  function named(name: string, rows: number, cols: number): WeightRef {
    return { ...matrix(rows, cols), name };
  }

  /** A mixture of 4 such experts over [3, 8], finished. */
  function recorded(record: ExpertsOptions['record']) {
    const rec = new Recorder();
    const x = rec.input(3, 8);
    const out = rec.experts(x, x.columns(0, 4), { ...experts(1, 4), record });
    const { commands } = rec.finish();
    return { commands, out, mixture: mixtureOf(commands) };
  }

  function mixtureOf(commands: Program['commands']): ExpertsCommand<WeightRef> {
    const mixture = commands.find((command) => command.op === 'experts');
    if (!mixture) throw new Error('Expected a mixture of experts');
    return mixture;
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
