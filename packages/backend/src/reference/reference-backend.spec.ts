// The reference backend against numbers that are not its own: arithmetic done by hand here, and outputs of
// torch in fixtures/torch-ops.json (fixtures/make-torch-ops.py).

import { readFileSync } from 'node:fs';
import type { Backend, Submission } from '../backend.js';
import type { Command } from '../command.js';
import { Tensor } from '../tensor.js';
import type { WeightSlice } from '../weight.js';
import { createReferenceBackend } from './index.js';

interface AttentionFixture {
  rows: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  scale: number;
  window: number | null;
  q: number[];
  k: number[];
  v: number[];
  out: number[];
}

const torch = JSON.parse(readFileSync(new URL('../../fixtures/torch-ops.json', import.meta.url), 'utf8')) as {
  activations: Record<'x' | 'silu' | 'gelu' | 'gelu-tanh', number[]>;
  rmsNorm: { rows: number; cols: number; eps: number; x: number[]; weight: number[]; out: number[] };
  rope: Record<'rows' | 'heads' | 'headDim' | 'rotaryDim', number> &
    Record<'x' | 'cos' | 'sin' | 'half' | 'interleaved', number[]>;
  attention: AttentionFixture[];
};

let backend: Backend;
beforeEach(() => {
  backend = createReferenceBackend();
});
afterEach(() => backend[Symbol.asyncDispose]());

/** Places tensors one after the other, runs the command on them, returns `out`. */
async function run(
  inputs: { shape: [number, number]; data: number[] }[],
  commandOf: (tensors: Tensor[]) => Command<WeightSlice>,
  { out, ...operands }: { out: number } & Pick<Submission, 'kvCache' | 'batch'>,
): Promise<number[]> {
  let offset = 0;
  const tensors = inputs.map(({ shape: [rows, cols] }) => {
    const tensor = new Tensor({ elements: rows * cols, offset }, rows, cols, cols, 0);
    offset += rows * cols;
    return tensor;
  });
  const arena = backend.createArena(offset);
  await Promise.all(
    tensors.map((tensor, i) => arena.write(tensor, Float32Array.from(inputs[i]?.data ?? []))),
  );
  await backend.submit({ commands: [commandOf(tensors)], arena, ...operands });
  const target = tensors[out];
  return target ? Array.from(await arena.read(target)) : [];
}

function weight(shape: [number, number], data: number[]): WeightSlice {
  const memory = backend.allocateWeights(data.length * 4);
  memory.bytes.set(new Uint8Array(Float32Array.from(data).buffer));
  return { memory, byteOffset: 0, dtype: 'f32', rows: shape[0], cols: shape[1] };
}

function expectClose(actual: number[], expected: number[]): void {
  expect(actual).toHaveLength(expected.length);
  // Outputs are read as float32: half a unit in the last place of values of at most 128.
  actual.forEach((value, i) => expect(Math.abs(value - (expected[i] ?? NaN))).toBeLessThanOrEqual(4e-6));
}

const zeros = (count: number): number[] => new Array<number>(count).fill(0);

describe('by hand', () => {
  it('linear multiplies by rows of the weight and adds the bias', async () => {
    // [1 2] · [[3 4] [5 6] [7 8]]ᵀ = [1·3+2·4, 1·5+2·6, 1·7+2·8] = [11 17 23]; bias [0.5 0 −1].
    const out = await run(
      [
        { shape: [1, 2], data: [1, 2] },
        { shape: [1, 3], data: zeros(3) },
      ],
      ([x, out]) =>
        ({
          op: 'linear',
          x,
          out,
          weight: weight([3, 2], [3, 4, 5, 6, 7, 8]),
          bias: weight([1, 3], [0.5, 0, -1]),
        }) as Command<WeightSlice>,
      { out: 1 },
    );
    expect(out).toEqual([11.5, 17, 22]);
  });

  it('rmsNorm divides by the root mean square', async () => {
    // mean(1² + 7²) = 25, so [1 7] / 5 · [10 1] = [2 1.4].
    const out = await run(
      [{ shape: [1, 2], data: [1, 7] }],
      ([x]) =>
        ({ op: 'rmsNorm', x, out: x, eps: 0, weight: weight([1, 2], [10, 1]) }) as Command<WeightSlice>,
      { out: 0 },
    );
    expect(out).toEqual([2, Math.fround(1.4)]);
  });

  it('scatterAddRows adds to a row as often as it is named', async () => {
    // Row 1: 100 + 2·1 + 0.5·4 = 104.
    const out = await run(
      [
        { shape: [2, 1], data: [1, 4] },
        { shape: [2, 1], data: [100, 100] },
      ],
      ([x, out]) =>
        ({
          op: 'scatterAddRows',
          x,
          out,
          indices: Uint32Array.of(1, 1),
          scales: Float32Array.of(2, 0.5),
        }) as Command<WeightSlice>,
      { out: 1 },
    );
    expect(out).toEqual([100, 104]);
  });
});

describe('against torch', () => {
  it.each(['silu', 'gelu', 'gelu-tanh'] as const)('%s', async (activation) => {
    const { x } = torch.activations;
    const out = await run(
      [
        { shape: [1, x.length], data: x },
        { shape: [1, x.length], data: x.map(() => 1) },
      ],
      ([gate, up]) => ({ op: 'glu', gate, up, activation, out: gate }) as Command<WeightSlice>,
      { out: 0 },
    );
    expectClose(out, torch.activations[activation]);
  });

  it('rmsNorm of two groups', async () => {
    const { rows, cols, eps, x, weight: data, out: expected } = torch.rmsNorm;
    const out = await run(
      [{ shape: [rows, cols], data: x }],
      ([x]) =>
        ({ op: 'rmsNorm', x, out: x, eps, weight: weight([1, data.length], data) }) as Command<WeightSlice>,
      { out: 0 },
    );
    expectClose(out, expected);
  });

  it.each(['half', 'interleaved'] as const)('rope of %s pairs, part of the head', async (style) => {
    const { rows, heads, headDim, rotaryDim, x, cos, sin } = torch.rope;
    const out = await run(
      [
        { shape: [rows, heads * headDim], data: x },
        { shape: [rows, rotaryDim / 2], data: cos },
        { shape: [rows, rotaryDim / 2], data: sin },
      ],
      ([x, cos, sin]) => ({ op: 'rope', x, cos, sin, headDim, rotaryDim, style }) as Command<WeightSlice>,
      { out: 0 },
    );
    expectClose(out, torch.rope[style]);
  });

  it.each(torch.attention.map((fixture) => [fixture.window ?? 'no', fixture] as const))(
    'causal attention with grouped heads and %s window',
    async (_, fixture) => {
      const { rows, heads, kvHeads, headDim, scale, q, k, v } = fixture;
      const kvCache = backend.createKvCache({ layers: [{ kvHeads, headDim }], blocks: 5 });
      const sequences = [{ rowStart: 0, rowCount: rows, past: 0, blocks: Int32Array.of(4, 1) }];
      const out = await run(
        [
          { shape: [rows, heads * headDim], data: q },
          { shape: [rows, kvHeads * headDim], data: k },
          { shape: [rows, kvHeads * headDim], data: v },
          { shape: [rows, heads * headDim], data: zeros(rows * heads * headDim) },
        ],
        ([q, k, v, out]) =>
          ({
            op: 'attention',
            ...{ layer: 0, heads, kvHeads, headDim, scale, window: fixture.window ?? undefined },
            ...{ q, k, v, out },
          }) as Command<WeightSlice>,
        { out: 3, kvCache, batch: { rows, sequences } },
      );
      expectClose(out, fixture.out);
    },
  );
});

describe('on the JavaScript thread', () => {
  it('lets timers run while a long submission is at work', async () => {
    const x = new Tensor({ elements: 500, offset: 0 }, 1, 500, 500, 0);
    const out = new Tensor({ elements: 100_000, offset: 500 }, 1, 100_000, 100_000, 0);
    const memory = backend.allocateWeights(2 * 500 * 100_000);
    const slice: WeightSlice = { memory, byteOffset: 0, dtype: 'bf16', rows: 100_000, cols: 500 };
    const arena = backend.createArena(100_500);
    const order: string[] = [];
    const submission = backend
      .submit({ commands: [{ op: 'linear', x, weight: slice, bias: undefined, out }], arena })
      .then(() => order.push('submission'));
    setTimeout(() => order.push('timer'), 0);
    await submission;
    expect(order).toEqual(['timer', 'submission']);
  });

  it('refuses memory that cannot be had, and sizes that are none', () => {
    expect(() => backend.allocateWeights(2 ** 52)).toThrow(
      expect.objectContaining({ code: 'OUT_OF_MEMORY' }),
    );
    expect(() => backend.createArena(-1)).toThrow(expect.objectContaining({ code: 'INVALID_OPERAND' }));
    expect(() => backend.createKvCache({ layers: [], blocks: 0.5 })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPERAND' }),
    );
  });
});
