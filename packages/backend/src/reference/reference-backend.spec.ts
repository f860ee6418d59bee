// The reference backend against arithmetic done by hand, and how it shares the JavaScript thread.

import type { Backend, Submission } from '../backend.js';
import type { KvCacheShape } from '../batch.js';
import type { Command } from '../command.js';
import { Tensor } from '../tensor.js';
import type { WeightSlice } from '../weight.js';
import { createReferenceBackend } from './index.js';

const KEYS = { kind: 'attention', kvHeads: 2, headDim: 3, keysOnly: false } as const;
const STATE = { kind: 'recurrent', convChannels: 6, convWidth: 4, heads: 2, keyDim: 3, valueDim: 5 } as const;

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
          normalizeRows: false,
          weight: weight([3, 2], [3, 4, 5, 6, 7, 8]),
          bias: weight([1, 3], [0.5, 0, -1]),
        }) as Command<WeightSlice>,
      { out: 1 },
    );
    expect(out).toEqual([11.5, 17, 22]);
  });

  it('linearTransposed multiplies by columns of the weight, and goes on from a sum', async () => {
    // [1 2] · [[3 4 5] [6 7 8]] = [1·3+2·6, 1·4+2·7, 1·5+2·8] = [15 18 21]; with the bias [0.5 0 −1], or on [10 20 30].
    const product = (operands: object, held: number[]) =>
      run(
        [
          { shape: [1, 2], data: [1, 2] },
          { shape: [1, 3], data: held },
        ],
        ([x, out]) =>
          ({
            op: 'linearTransposed',
            x,
            out,
            weight: weight([2, 3], [3, 4, 5, 6, 7, 8]),
            ...operands,
          }) as Command<WeightSlice>,
        { out: 1 },
      );
    const bias = weight([1, 3], [0.5, 0, -1]);
    expect(await product({ accumulate: false, bias }, [10, 20, 30])).toEqual([15.5, 18, 20]);
    expect(await product({ accumulate: true, bias: undefined }, [10, 20, 30])).toEqual([25, 38, 51]);
  });

  it('rmsNorm divides by the root mean square', async () => {
    // mean(1² + 7²) = 25, so [1 7] / 5 · [10 1] = [2 1.4].
    const out = await run(
      [{ shape: [1, 2], data: [1, 7] }],
      ([x]) =>
        ({
          op: 'rmsNorm',
          x,
          out: x,
          eps: 0,
          groupWidth: 2,
          weightOffset: 0,
          weight: weight([1, 2], [10, 1]),
        }) as Command<WeightSlice>,
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

describe('delta rule by hand', () => {
  it('remembers a value under its key, forgets by half, and corrects', async () => {
    // Keys and queries of one column are divided by their length: 1 (to 1e-14). dtBias = a = 0, so softplus is log 2 and
    // with aLog = 0 the state halves at every row; b = 100 is a rate of 1: what was predicted is replaced by the value.
    // S: 0 → 8 → 4 → 4 + (2 − 4) = 2; with b = −100 nothing is learnt: 1.
    const cache = backend.createKvCache({
      layers: [{ ...STATE, heads: 1, keyDim: 1, valueDim: 1 }],
      blocks: 0,
      slots: 1,
    });
    const column = (data: number[]) => ({ shape: [3, 1] as [number, number], data });
    const sequences = [{ rowStart: 0, rowCount: 3, past: 0, blocks: new Int32Array(), slot: 0 }];
    const out = await run(
      [column([1e4, 1e4, 1e4]), column([8, 2, 7]), column([0, 0, 0]), column([100, 100, -100])],
      ([q, v, a, b]) =>
        ({
          ...{ op: 'gatedDelta', layer: 0, q, k: q, v, a, b, out: v },
          ...{ keyHeads: 1, valueHeads: 1, keyDim: 1, valueDim: 1 },
          aLog: weight([1, 1], [0]),
          dtBias: weight([1, 1], [0]),
        }) as Command<WeightSlice>,
      { out: 1, kvCache: cache, batch: { rows: 3, sequences } },
    );
    expect(out).toEqual([8, 2, 1]);
  });
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
      .submit({
        commands: [{ op: 'linear', x, weight: slice, bias: undefined, normalizeRows: false, out }],
        arena,
      })
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
  });

  it.each<[string, KvCacheShape]>([
    ['half a block', { layers: [], blocks: 0.5, slots: 0 }],
    ['attention without blocks', { layers: [KEYS], blocks: 0, slots: 1 }],
    ['a state without slots', { layers: [STATE], blocks: 1, slots: 0 }],
    ['heads without columns', { layers: [{ ...KEYS, headDim: 0 }], blocks: 1, slots: 1 }],
    ['a convolution of no rows', { layers: [{ ...STATE, convWidth: 0 }], blocks: 1, slots: 1 }],
    ['a negative state', { layers: [{ ...STATE, keyDim: -2 }], blocks: 1, slots: 1 }],
  ])('refuses a cache of %s', (_, shape) => {
    expect(() => backend.createKvCache(shape)).toThrow(expect.objectContaining({ code: 'INVALID_OPERAND' }));
  });

  it('a cache has the bytes of its layers', () => {
    // Keys and values of 2 heads of 3 columns for 5 · 16 tokens; 7 slots of (4 − 1) · 6 inputs and 2 · 3 · 5 states.
    const cache = backend.createKvCache({ layers: [KEYS, STATE], blocks: 5, slots: 7 });
    expect(cache.byteLength).toBe(4 * (2 * 2 * 3 * 80 + 7 * (18 + 30)));
    const latents = backend.createKvCache({ layers: [{ ...KEYS, keysOnly: true }], blocks: 5, slots: 0 });
    expect(latents.byteLength).toBe(4 * 2 * 3 * 80);
  });
});
