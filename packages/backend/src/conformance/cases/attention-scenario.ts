// Sequences of random queries, keys and values, and the passes that bring them through a KV cache.

import type { KvCache } from '../../backend.js';
import { KV_BLOCK_TOKENS, type SequenceSlice } from '../../batch.js';
import type { AttentionCommand } from '../../command.js';
import { Random } from '../random.js';
import { concatenate, Workbench } from '../workbench.js';
import type { Scenario } from '../compare-with-reference.js';

export interface AttentionShape {
  heads: number;
  kvHeads: number;
  headDim: number;
  window?: number;
  /** Standard deviation of queries and keys; 1 unless told. */
  magnitude?: number;
}

/** Tokens of one sequence in each pass, in order; a 0 leaves it out of a pass. */
export type Passes = readonly number[];

/**
 * Runs `sequences` side by side, one submission per pass, and returns the outputs of all tokens, sequence by
 * sequence. Tokens of sequence s are the same whatever the passes are and whatever runs beside it
 * (`names` tells sequences apart; its index unless told).
 */
export function attentionScenario(
  shape: AttentionShape,
  sequences: readonly Passes[],
  names: readonly number[] = sequences.map((_, index) => index),
): Scenario {
  return {
    label: sequences.map((passes) => passes.join('+')).join(', ') + ' tokens',
    outputs: async (bench) => {
      const run = new AttentionRun(bench, shape);
      return concatenate(await run.all(sequences, names));
    },
  };
}

class AttentionRun {
  readonly #bench: Workbench;
  readonly #shape: AttentionShape;

  constructor(bench: Workbench, shape: AttentionShape) {
    this.#bench = bench;
    this.#shape = shape;
  }

  async all(sequences: readonly Passes[], names: readonly number[]): Promise<Float32Array[]> {
    const tables = blockTables(sequences);
    const { kvHeads, headDim } = this.#shape;
    // The op must find its layer: one of another shape comes before it.
    const cache = this.#bench.kvCache({
      layers: [
        { kvHeads: kvHeads + 1, headDim: 4 },
        { kvHeads, headDim },
      ],
      blocks: tables.blocks,
    });
    const tokens = sequences.map((passes, index) => this.#tokens(sum(passes), names[index] ?? 0));
    const outputs: Float32Array[][] = sequences.map(() => []);
    const past = sequences.map(() => 0);
    const passCount = Math.max(...sequences.map((passes) => passes.length));
    for (let pass = 0; pass < passCount; pass++) {
      const slices: (SequenceSlice & { index: number })[] = [];
      let row = 0;
      sequences.forEach((passes, index) => {
        const rowCount = passes[pass] ?? 0;
        if (rowCount === 0) return;
        const blocks = tables.ofSequence[index] ?? new Int32Array();
        slices.push({ index, rowStart: row, rowCount, past: past[index] ?? 0, blocks });
        row += rowCount;
      });
      const out = await this.#pass(slices, row, { cache, tokens });
      for (const { index, rowStart, rowCount } of slices) {
        const width = this.#shape.heads * headDim;
        outputs[index]?.push(out.slice(rowStart * width, (rowStart + rowCount) * width));
        past[index] = (past[index] ?? 0) + rowCount;
      }
    }
    return outputs.map(concatenate);
  }

  /** One submission: q, k and v are column views of one tensor, as a fused projection makes them. */
  async #pass(
    slices: readonly (SequenceSlice & { index: number })[],
    rows: number,
    { cache, tokens }: { cache: KvCache; tokens: readonly Float32Array[] },
  ): Promise<Float32Array> {
    const { heads, kvHeads, headDim, window } = this.#shape;
    const width = (heads + 2 * kvHeads) * headDim;
    const data = concatenate(
      slices.map(({ index, past, rowCount }) =>
        (tokens[index] ?? new Float32Array()).subarray(past * width, (past + rowCount) * width),
      ),
    );
    const bench = new Workbench(this.#bench.backend);
    try {
      const qkv = bench.tensor(rows, width, { data });
      const command: AttentionCommand = {
        op: 'attention',
        layer: 1,
        q: qkv.columns(0, heads * headDim),
        k: qkv.columns(heads * headDim, kvHeads * headDim),
        v: qkv.columns((heads + kvHeads) * headDim, kvHeads * headDim),
        out: bench.tensor(rows, heads * headDim, { padding: 5 }),
        heads,
        kvHeads,
        headDim,
        scale: 1 / Math.sqrt(headDim),
        window,
      };
      return await bench.run([command], [command.out], {
        kvCache: cache,
        batch: { rows, sequences: slices },
      });
    } finally {
      bench.dispose();
    }
  }

  #tokens(count: number, name: number): Float32Array {
    const { heads, kvHeads, headDim, magnitude = 1 } = this.#shape;
    const random = new Random(name * 104729 + headDim);
    const width = (heads + 2 * kvHeads) * headDim;
    const valuesStart = (heads + kvHeads) * headDim;
    return random.normals(count * width).map((x, i) => (i % width < valuesStart ? x * magnitude : x));
  }
}

/** Blocks in random order, one more per sequence than it needs, some in the cache that nobody uses. */
function blockTables(sequences: readonly Passes[]): { blocks: number; ofSequence: Int32Array[] } {
  const needed = sequences.map((passes) => Math.ceil(sum(passes) / KV_BLOCK_TOKENS) + 1);
  const blocks = sum(needed) + 3;
  const order = new Random(blocks).permutation(blocks);
  let start = 0;
  const ofSequence = needed.map((count) => order.slice(start, (start += count)));
  return { blocks, ofSequence };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
