// One pass of the model: embedding rows in, every layer in order, logits out. Rows of a pass are tokens
// of any number of sequences; a pass longer than the arena runs in chunks.
//
//   ids ─► embedding rows ─► layer 0 ─► … ─► layer n−1 ─► norm, head ─► logits of the rows asked for
//           (from disk)       each one program, its weights tile by tile

import type { Arena, Backend, KvCache } from '@airllm/backend';
import type { LayerStore } from '@airllm/layer-store';
import type { ModelDefinition, PassState } from '@airllm/model-zoo';
import { GenerateError } from '../errors.js';
import { LayerPrograms } from './layer-programs.js';
import { placeState, recordHead, recordInput, type PassShape } from './pass-programs.js';
import { PreviewRecord } from './preview-record.js';
import { ProgramRunner } from './program-runner.js';
import { splitPass, type PassChunk, type PassSequence } from './split-pass.js';
import { Submitter } from './submitter.js';

/** Layers submitted ahead of the device: enough to keep it busy, few enough to stop soon. */
const SUBMISSIONS_IN_FLIGHT = 2;

export interface PassOptions {
  readonly arena: Arena;
  readonly kvCache: KvCache;
  readonly shape: PassShape;
  readonly signal?: AbortSignal | undefined;
  /** Called when the weights of a stage (layer or head) are about to be used. */
  readonly onStage?: ((stage: number) => void) | undefined;
  /** One row of logits [vocabSize], valid until the callback returns; rows come in order within a sequence. */
  readonly onLogits: (sequence: number, logits: Float32Array) => void;
}

export interface PassRunnerOptions {
  readonly definition: ModelDefinition;
  readonly backend: Backend;
  readonly store: LayerStore;
  /** Seconds the device computed, per stage. */
  readonly computeSeconds: number[];
}

export class PassRunner {
  readonly #computeSeconds: number[];
  readonly #definition: ModelDefinition;
  readonly #backend: Backend;
  readonly #store: LayerStore;
  readonly #programs: LayerPrograms;
  readonly #previews = new PreviewRecord();

  /** @param options.computeSeconds added to; see {@link createComputeSeconds} */
  constructor(options: PassRunnerOptions) {
    this.#definition = options.definition;
    this.#backend = options.backend;
    this.#store = options.store;
    this.#programs = new LayerPrograms(options.definition);
    this.#computeSeconds = options.computeSeconds;
  }

  /**
   * Appends the tokens of every sequence to its KV cache and reports the logits asked for.
   *
   * @throws GenerateError `ABORTED`; LayerStoreError `READ_FAILED`. Nothing is in flight afterwards; the
   * sequences' caches are then to be thought of as lost.
   */
  async run(sequences: readonly PassSequence[], options: PassOptions): Promise<void> {
    for (const chunk of splitPass(sequences, options.shape.rows)) await this.#runChunk(chunk, options);
  }

  async #runChunk(chunk: PassChunk, options: PassOptions): Promise<void> {
    const { arena, kvCache, signal, onStage } = options;
    const rows = chunk.tokens.length;
    const layers = this.#definition.sizes.layers;
    const batch = { rows, sequences: chunk.slices };
    const submitter = new Submitter(this.#backend, { arena, kvCache, batch }, this.#computeSeconds);
    const runner = new ProgramRunner(this.#store, submitter, this.#previews);
    this.#programs.choose(rows, arena.elements);
    try {
      throwIfAborted(signal);
      await this.#writeState(chunk, arena);
      const input = recordInput(this.#definition, rows);
      if (input) await runner.run(input);
      for (let layer = 0; layer < layers; layer++) {
        throwIfAborted(signal);
        onStage?.(layer);
        submitter.stage = layer;
        await runner.run(this.#programs.layer(layer), this.#programs.preview(layer));
        await submitter.settle(SUBMISSIONS_IN_FLIGHT);
      }
      for (let start = 0; start < chunk.logitRows.length; start += options.shape.logitRows) {
        throwIfAborted(signal);
        onStage?.(layers);
        submitter.stage = layers;
        const wanted = chunk.logitRows.slice(start, start + options.shape.logitRows);
        const { program, logits } = recordHead(
          this.#definition,
          rows,
          Uint32Array.from(wanted, ({ row }) => row),
        );
        await runner.run(program);
        await submitter.settle();
        const values = await arena.read(logits);
        wanted.forEach(({ sequence }, i) => {
          options.onLogits(sequence, values.subarray(i * logits.cols, (i + 1) * logits.cols));
        });
      }
      await submitter.settle();
    } catch (error) {
      await submitter.abandon();
      throw error;
    }
  }

  /** Embeds the chunk's tokens and writes what depends on positions. */
  async #writeState(chunk: PassChunk, arena: Arena): Promise<void> {
    const state = placeState(this.#definition, chunk.tokens.length);
    await this.#writePositions(chunk, state, arena);
    await this.#store.readEmbeddings(chunk.tokens, async (tables, start) => {
      const commands = tables.map((table, i) => ({
        op: 'embedding' as const,
        table,
        ids: Uint32Array.of(0),
        out: state.hidden.rowRange(start + i, 1),
      }));
      await this.#backend.submit({ commands, arena });
    });
  }

  async #writePositions(chunk: PassChunk, state: PassState, arena: Arena): Promise<void> {
    const { ropes, rowScales } = this.#definition;
    const writes = state.rotary.map(async ({ cos, sin }, i) => {
      const tables = {
        cos: new Float32Array(cos.rows * cos.cols),
        sin: new Float32Array(cos.rows * cos.cols),
      };
      for (const { rowStart, rowCount, past, finalLength, promptLength } of chunk.slices) {
        const place = { row: rowStart, start: past, count: rowCount };
        ropes[i]?.fill({ ...tables, ...place, sequenceLength: finalLength, promptLength });
      }
      await Promise.all([arena.write(cos, tables.cos), arena.write(sin, tables.sin)]);
    });
    const scales = state.rowScales.map((tensor, i) => {
      const values = new Float32Array(tensor.rows);
      for (const { rowStart, rowCount, past } of chunk.slices) {
        for (let row = 0; row < rowCount; row++) values[rowStart + row] = rowScales[i]?.(past + row) ?? 1;
      }
      return arena.write(tensor, values);
    });
    await Promise.all([...writes, ...scales]);
  }
}

/** Zeros per stage: every layer, the head last. */
export function createComputeSeconds({ sizes }: ModelDefinition): number[] {
  return new Array<number>(sizes.layers + 1).fill(0);
}

/** @throws GenerateError `ABORTED` */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new GenerateError('ABORTED', 'The run was aborted by its signal', { cause: signal.reason });
  }
}
