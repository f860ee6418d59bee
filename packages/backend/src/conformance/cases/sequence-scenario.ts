// Sequences of random tokens, and the passes that bring them through a cache: for every op that mixes the rows
// of a sequence.

import type { KvCache } from '../../backend.js';
import { KV_BLOCK_TOKENS, type CacheLayerShape, type SequenceSlice } from '../../batch.js';
import type { Command } from '../../command.js';
import type { Tensor } from '../../tensor.js';
import type { WeightSlice } from '../../weight.js';
import type { Scenario } from '../compare-with-reference.js';
import { onBench } from '../compare-with-reference.js';
import { Random } from '../random.js';
import { concatenate, type Workbench } from '../workbench.js';

/** An op under test: what a token is, and what the op makes of it. */
export interface SequenceOp {
  readonly op: Command<WeightSlice>['op'];
  /** What the op keeps of a sequence. */
  readonly layer: CacheLayerShape;
  /** Columns of a token's inputs, side by side in one tensor as a fused projection makes them. */
  readonly width: number;
  readonly outWidth: number;
  /** `count` tokens of inputs. Default: normal values. */
  readonly tokens?: (random: Random, count: number) => Float32Array;
  /** The same weights on every call. */
  readonly command: (
    bench: Workbench,
    operands: { layer: number; x: Tensor; out: Tensor },
  ) => Command<WeightSlice>;
}

/** Tokens of one sequence in each pass, in order; a 0 leaves it out of a pass. */
export type Passes = readonly number[];

/** Three sequences of different lengths and pasts, which cross blocks of 16 within and between passes. */
export const RAGGED: readonly Passes[] = [
  [15, 1, 1, 1],
  [1, 0, 20, 1],
  [33, 5, 1, 17],
];

/** The op's place among the layers of a cache: it must be found behind one of either kind. */
const LAYER = 2;

const OTHER_LAYERS: readonly CacheLayerShape[] = [
  { kind: 'attention', kvHeads: 3, headDim: 4, keysOnly: false },
  { kind: 'recurrent', convChannels: 3, convWidth: 2, heads: 1, keyDim: 2, valueDim: 5 },
];

/**
 * Runs `sequences` side by side, one submission per pass, and returns the outputs of all tokens, sequence by
 * sequence. Tokens of sequence s are the same whatever the passes are and whatever runs beside it
 * (`names` tells sequences apart; its index unless told). The cache has been used by other sequences before.
 */
export function sequenceScenario(
  op: SequenceOp,
  sequences: readonly Passes[],
  names: readonly number[] = sequences.map((_, index) => index),
): Scenario {
  return {
    label: sequences.map((passes) => passes.join('+')).join(', ') + ' tokens',
    outputs: async (bench) => {
      const places = placesOf(sequences);
      const { blocks, slots } = places;
      const cache = bench.kvCache({ layers: [...OTHER_LAYERS, op.layer], blocks, slots });
      const run = new SequenceRun(op, { bench, cache, places });
      const formerTenants = sequences.map(() => [3]);
      await run.all(
        formerTenants,
        names.map((name) => name + 1000),
      );
      return concatenate(await run.all(sequences, names));
    },
  };
}

type NamedSlice = SequenceSlice & { readonly index: number };

class SequenceRun {
  readonly #op: SequenceOp;
  readonly #memory: { bench: Workbench; cache: KvCache; places: Places };

  constructor(op: SequenceOp, memory: { bench: Workbench; cache: KvCache; places: Places }) {
    this.#op = op;
    this.#memory = memory;
  }

  async all(sequences: readonly Passes[], names: readonly number[]): Promise<Float32Array[]> {
    const { width, outWidth } = this.#op;
    const tokens = sequences.map((passes, index) => this.#tokens(sum(passes), names[index] ?? 0));
    const outputs: Float32Array[][] = sequences.map(() => []);
    const past = sequences.map(() => 0);
    const passCount = Math.max(...sequences.map((passes) => passes.length));
    for (let pass = 0; pass < passCount; pass++) {
      const slices = this.#slices(sequences, pass, past);
      const data = slices.map(({ index, past, rowCount }) =>
        (tokens[index] ?? new Float32Array()).subarray(past * width, (past + rowCount) * width),
      );
      const out = await this.#pass(slices, concatenate(data));
      for (const { index, rowStart, rowCount } of slices) {
        outputs[index]?.push(out.slice(rowStart * outWidth, (rowStart + rowCount) * outWidth));
        past[index] = (past[index] ?? 0) + rowCount;
      }
    }
    return outputs.map(concatenate);
  }

  #slices(sequences: readonly Passes[], pass: number, past: readonly number[]): NamedSlice[] {
    const { tables, slotOf } = this.#memory.places;
    const slices: NamedSlice[] = [];
    let rowStart = 0;
    sequences.forEach((passes, index) => {
      const rowCount = passes[pass] ?? 0;
      if (rowCount === 0) return;
      const blocks = tables[index] ?? new Int32Array();
      slices.push({ index, rowStart, rowCount, past: past[index] ?? 0, blocks, slot: slotOf[index] ?? 0 });
      rowStart += rowCount;
    });
    return slices;
  }

  /** One submission. */
  async #pass(sequences: readonly NamedSlice[], data: Float32Array): Promise<Float32Array> {
    const { width, outWidth, command } = this.#op;
    const rows = data.length / width;
    return onBench(this.#memory.bench.backend, (bench) => {
      const x = bench.tensor(rows, width, { data });
      const out = bench.tensor(rows, outWidth, { padding: 5 });
      return bench.run([command(bench, { layer: LAYER, x, out })], [out], {
        kvCache: this.#memory.cache,
        batch: { rows, sequences },
      });
    });
  }

  #tokens(count: number, name: number): Float32Array {
    const { width, tokens = (random, count) => random.normals(count * width) } = this.#op;
    return tokens(new Random(name * 104729 + width), count);
  }
}

interface Places {
  readonly blocks: number;
  readonly slots: number;
  readonly tables: readonly Int32Array[];
  readonly slotOf: Int32Array;
}

/** Blocks and slots in random order; one block more per sequence than it needs, and some that nobody uses. */
function placesOf(sequences: readonly Passes[]): Places {
  const needed = sequences.map((passes) => Math.ceil(sum(passes) / KV_BLOCK_TOKENS) + 1);
  const blocks = sum(needed) + 3;
  const slots = sequences.length + 2;
  const random = new Random(blocks);
  const order = random.permutation(blocks);
  let start = 0;
  const tables = needed.map((count) => order.slice(start, (start += count)));
  return { blocks, slots, tables, slotOf: random.permutation(slots) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
