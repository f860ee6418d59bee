// The reference backend against outputs of torch and transformers in fixtures/torch-ops.json, which
// fixtures/make-torch-ops.py makes.

import { readFileSync } from 'node:fs';
import type { Command } from '../command.js';
import { FIRST_SEQUENCE, PLAIN_ATTENTION } from '../conformance/commands.js';
import { onBench } from '../conformance/compare-with-reference.js';
import type { Workbench } from '../conformance/workbench.js';
import type { CacheLayerShape } from '../batch.js';
import type { Tensor } from '../tensor.js';
import type { WeightSlice } from '../weight.js';
import { createReferenceBackend } from './index.js';

type Sizes<K extends string> = Record<K, number>;
type Values<K extends string> = Record<K, number[]>;

const torch = JSON.parse(readFileSync(new URL('../../fixtures/torch-ops.json', import.meta.url), 'utf8')) as {
  activations: Values<'x' | 'silu' | 'gelu' | 'gelu-tanh'>;
  rmsNorm: Sizes<'rows' | 'cols' | 'eps'> & Values<'x' | 'weight' | 'out'>;
  layerNorm: Sizes<'rows' | 'cols' | 'eps'> & Values<'x' | 'weight' | 'bias' | 'out'>;
  rope: Sizes<'rows' | 'heads' | 'headDim' | 'rotaryDim'> &
    Values<'x' | 'cos' | 'sin' | 'half' | 'interleaved'>;
  attention: (Sizes<'rows' | 'heads' | 'kvHeads' | 'headDim' | 'scale'> &
    Record<'window' | 'chunk' | 'softcap', number | null> &
    Record<'alibiSlopes' | 'sinks', number[] | null> &
    Values<'q' | 'k' | 'v' | 'out'>)[];
  normalizedLinear: Values<'x' | 'weight' | 'out'>;
  clampedGlu: Sizes<'rows' | 'cols' | 'alpha' | 'limit'> & Values<'x' | 'out'>;
  shortConv: Sizes<'rows' | 'channels' | 'width'> & Values<'x' | 'weight' | 'bias' | 'out'>;
  gatedDelta: Sizes<'rows' | 'keyHeads' | 'valueHeads' | 'keyDim' | 'valueDim'> &
    Values<'q' | 'k' | 'v' | 'a' | 'b' | 'aLog' | 'dtBias' | 'out'>;
  latentAttention: Sizes<'rows' | 'heads' | 'rank' | 'nopeDim' | 'ropeDim' | 'valueDim' | 'scale'> &
    Values<'q' | 'latent' | 'kvB' | 'out'>;
  float8: (number | null)[];
};

it.each(['silu', 'gelu', 'gelu-tanh'] as const)('%s', async (activation) => {
  const { x } = torch.activations;
  const out = await run((bench) => {
    const gate = tensor(bench, 1, x);
    const up = tensor(bench, 1, new Array<number>(x.length).fill(1));
    return { op: 'glu', gate, up, activation, out: gate };
  });
  expectClose(out, torch.activations[activation]);
});

it('rmsNorm of two groups', async () => {
  const { rows, eps, x, weight, out: expected } = torch.rmsNorm;
  const out = await run((bench) => ({
    op: 'rmsNorm',
    ...inPlace(tensor(bench, rows, x)),
    weight: vector(bench, weight),
    groupWidth: weight.length,
    weightOffset: 0,
    eps,
  }));
  expectClose(out, expected);
});

it('rmsNorm by a weight that is stored less one', async () => {
  const { rows, eps, x, weight, out: expected } = torch.rmsNorm;
  const out = await run((bench) => ({
    op: 'rmsNorm',
    ...inPlace(tensor(bench, rows, x)),
    weight: vector(
      bench,
      weight.map((value) => value - 1),
    ),
    groupWidth: weight.length,
    weightOffset: 1,
    eps,
  }));
  expectClose(out, expected);
});

it('layerNorm of two groups', async () => {
  const { rows, eps, x, weight, bias, out: expected } = torch.layerNorm;
  const out = await run((bench) => ({
    op: 'layerNorm',
    ...inPlace(tensor(bench, rows, x)),
    weight: vector(bench, weight),
    bias: vector(bench, bias),
    groupWidth: weight.length,
    eps,
  }));
  expectClose(out, expected);
});

it('linear by rows of unit length', async () => {
  const { x, weight, out: expected } = torch.normalizedLinear;
  const out = await run((bench) => ({
    op: 'linear',
    x: tensor(bench, 3, x),
    weight: matrix(bench, 5, weight),
    bias: undefined,
    normalizeRows: true,
    out: bench.tensor(3, 5),
  }));
  expectClose(out, expected);
});

it.each(['half', 'interleaved'] as const)('rope of %s pairs, part of the head', async (style) => {
  const { rows, headDim, rotaryDim, x, cos, sin } = torch.rope;
  const out = await run((bench) => ({
    op: 'rope',
    x: tensor(bench, rows, x),
    cos: tensor(bench, rows, cos),
    sin: tensor(bench, rows, sin),
    headDim,
    rotaryStart: 0,
    rotaryDim,
    style,
  }));
  expectClose(out, torch.rope[style]);
});

it.each(['half', 'interleaved'] as const)('rope of %s pairs that end the head', async (style) => {
  const { rows, headDim, rotaryDim, x, cos, sin } = torch.rope;
  const rotaryStart = headDim - rotaryDim;
  /** Brings the rotated columns of every head from its start to its end. */
  const atTheEnd = (values: number[]): number[] =>
    values.map((_, i) => {
      const start = i - (i % headDim);
      return values[start + (((i % headDim) + rotaryDim) % headDim)] ?? NaN;
    });
  const out = await run((bench) => ({
    op: 'rope',
    x: tensor(bench, rows, atTheEnd(x)),
    cos: tensor(bench, rows, cos),
    sin: tensor(bench, rows, sin),
    headDim,
    rotaryStart,
    rotaryDim,
    style,
  }));
  expectClose(out, atTheEnd(torch.rope[style]));
});

it('clampedGlu', async () => {
  const { rows, cols, alpha, limit, x, out: expected } = torch.clampedGlu;
  const out = await run((bench) => ({
    op: 'clampedGlu',
    x: tensor(bench, rows, x),
    alpha,
    limit,
    out: bench.tensor(rows, cols),
  }));
  expectClose(out, expected);
});

it.each(torch.attention.map((fixture) => [optionsOf(fixture), fixture] as const))(
  'attention with grouped heads%s',
  async (_, { rows, heads, kvHeads, headDim, scale, q, k, v, ...fixture }) => {
    const layer: CacheLayerShape = { kind: 'attention', kvHeads, headDim, keysOnly: false };
    const out = await runSequence(layer, rows, (bench) => ({
      op: 'attention',
      ...{ layer: 0, heads, kvHeads, headDim, scale },
      ...PLAIN_ATTENTION,
      window: fixture.window ?? undefined,
      chunk: fixture.chunk ?? undefined,
      softcap: fixture.softcap ?? undefined,
      alibiSlopes: fixture.alibiSlopes ?? undefined,
      sinks: fixture.sinks ? vector(bench, fixture.sinks) : undefined,
      q: tensor(bench, rows, q),
      k: tensor(bench, rows, k),
      v: tensor(bench, rows, v),
      out: bench.tensor(rows, heads * headDim),
    }));
    expectClose(out, fixture.out);
  },
);

it('latentAttention', async () => {
  const { q, latent, kvB, out: expected, rows, ...sizes } = torch.latentAttention;
  const { heads, rank, nopeDim, ropeDim, valueDim } = sizes;
  const layer: CacheLayerShape = {
    kind: 'attention',
    kvHeads: 1,
    headDim: rank + ropeDim,
    keysOnly: true,
  };
  const out = await runSequence(layer, rows, (bench) => ({
    op: 'latentAttention',
    layer: 0,
    ...sizes,
    q: tensor(bench, rows, q),
    latent: tensor(bench, rows, latent),
    kvB: matrix(bench, heads * (nopeDim + valueDim), kvB),
    out: bench.tensor(rows, heads * valueDim),
  }));
  // Queries and latents are rounded to float32 here, and scores of about 30 double that error and more.
  expectClose(out, expected, 3e-5);
});

it('shortConv', async () => {
  const { rows, channels, width, x, weight, bias, out: expected } = torch.shortConv;
  const out = await runSequence(recurrent({ convChannels: channels, convWidth: width }), rows, (bench) => ({
    op: 'shortConv',
    layer: 0,
    x: tensor(bench, rows, x),
    weight: matrix(bench, channels, weight),
    bias: vector(bench, bias),
    out: bench.tensor(rows, channels),
  }));
  expectClose(out, expected);
});

it('gatedDelta', async () => {
  const { q, k, v, a, b, aLog, dtBias, out: expected, rows, ...sizes } = torch.gatedDelta;
  const { valueHeads: heads, keyDim, valueDim } = sizes;
  const out = await runSequence(recurrent({ heads, keyDim, valueDim }), rows, (bench) => ({
    op: 'gatedDelta',
    layer: 0,
    ...sizes,
    q: tensor(bench, rows, q),
    k: tensor(bench, rows, k),
    v: tensor(bench, rows, v),
    a: tensor(bench, rows, a),
    b: tensor(bench, rows, b),
    aLog: vector(bench, aLog),
    dtBias: vector(bench, dtBias),
    out: bench.tensor(rows, heads * valueDim),
  }));
  expectClose(out, expected);
});

it('f8e4m3: every byte, times its scale', async () => {
  const out = await run((bench) => {
    const scales = bench.weight('f32', [1, 1], { data: Float32Array.of(0.5) });
    const table = bench.weightOfBytes('f8e4m3', [1, 256], {
      bytes: Uint8Array.from({ length: 256 }, (_, i) => i),
    });
    const { memory, byteOffset } = scales;
    const grid = { memory, byteOffset, cols: 1, blockRows: 128, blockCols: 256, firstRow: 0 };
    return {
      op: 'embedding',
      table: { ...table, scales: grid },
      ids: Uint32Array.of(0),
      out: bench.tensor(1, 256),
    };
  });
  expect([...out]).toEqual(torch.float8.map((value) => (value === null ? NaN : value * 0.5)));
});

/** The values that a command writes. */
async function run(
  commandOf: (bench: Workbench) => Command<WeightSlice>,
  memoryOf: (bench: Workbench) => Parameters<Workbench['run']>[2] = () => ({}),
): Promise<Float32Array> {
  await using backend = createReferenceBackend();
  return await onBench(backend, (bench) => {
    const command = commandOf(bench);
    return bench.run([command], ['out' in command ? command.out : command.x], memoryOf(bench));
  });
}

/** The same for one sequence of `rows` tokens, whose blocks are out of order, over a cache of one layer. */
function runSequence(
  layer: CacheLayerShape,
  rows: number,
  commandOf: (bench: Workbench) => Command<WeightSlice>,
): Promise<Float32Array> {
  const sequences = [{ ...FIRST_SEQUENCE, rowCount: rows, blocks: Int32Array.of(4, 1) }];
  return run(commandOf, (bench) => ({
    kvCache: bench.kvCache({ layers: [layer], blocks: 5, slots: 1 }),
    batch: { rows, sequences },
  }));
}

function recurrent(sizes: Partial<CacheLayerShape>): CacheLayerShape {
  const smallest = { convChannels: 1, convWidth: 1, heads: 1, keyDim: 1, valueDim: 1 };
  return { kind: 'recurrent', ...smallest, ...sizes } as CacheLayerShape;
}

function tensor(bench: Workbench, rows: number, data: number[]): Tensor {
  return bench.tensor(rows, data.length / rows, { data: Float32Array.from(data) });
}

function inPlace(x: Tensor): { x: Tensor; out: Tensor } {
  return { x, out: x };
}

function matrix(bench: Workbench, rows: number, data: number[]): WeightSlice {
  return bench.weight('f32', [rows, data.length / rows], { data: Float32Array.from(data) });
}

function vector(bench: Workbench, data: number[]): WeightSlice {
  return matrix(bench, 1, data);
}

function optionsOf({ window, chunk, softcap, alibiSlopes, sinks }: (typeof torch.attention)[number]): string {
  const options = Object.entries({ window, chunk, softcap, alibiSlopes, sinks });
  return options.flatMap(([name, value]) => (value === null ? [] : ` and ${name}`)).join('');
}

/** Outputs are read as float32: half a unit in the last place of values of at most 128 is 4e-6. */
function expectClose(actual: Float32Array, expected: number[], tolerance = 4e-6): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, i) => expect(Math.abs(value - (expected[i] ?? NaN))).toBeLessThanOrEqual(tolerance));
}
