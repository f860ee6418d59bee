// A model that can be run: sizes each run, keeps the whole within its memory, and turns passes into tokens.

import { KV_BLOCK_TOKENS, type Backend } from '@airllm/backend';
import type { LayerStore } from '@airllm/layer-store';
import type { ModelDefinition } from '@airllm/model-zoo';
import { GenerateError } from '../errors.js';
import { PassRunner, throwIfAborted, type PassOptions } from '../pass/pass-runner.js';
import type { PassSequence } from '../pass/split-pass.js';
import { createSampler } from '../sampling/sampler.js';
import { resolveSamplingOptions } from '../sampling/sampling-options.js';
import { SamplingWorkspace } from '../sampling/workspace.js';
import type { TokenDecoder } from '../stop/stream-decoder.js';
import { createTextStream } from '../stop/text-stream.js';
import { checkPrompt } from './check-prompt.js';
import { checkOptionNames, resolveMaxNewTokens, type GenerationOptions } from './generation-options.js';
import { countPass, createRunCounters, isDecode, type PassTime } from './run-counters.js';
import { RunLock } from './run-lock.js';
import { RunMemory } from './run-memory.js';
import { blocksFor, demandOf, sizeRun, type RunDemand, type RunRequest, type RunSize } from './run-size.js';
import { Sequence } from './sequence.js';
import type { TokenEvent } from './token-event.js';
import { WeightRoom, type DeviceRoom } from './weight-room.js';

export interface LanguageModelOptions {
  readonly definition: ModelDefinition;
  readonly backend: Backend;
  readonly store: LayerStore;
  /** Bytes for weights and runs together, as of now; see `WeightRoomOptions`. */
  readonly memoryBytes: (writtenRunBytes: number) => number;
  readonly plannedMemoryBytes: number;
  /** Bytes of host memory the store leaves for runs until one needs more. */
  readonly reservedRunBytes: number;
  /** For a backend with memory of its own: activations and KV caches lie there. */
  readonly device?: DeviceRoom | undefined;
  /** Longest sequence allowed, prompt included. */
  readonly maxSequenceTokens: number;
  readonly eosTokenIds: readonly number[];
  /** generation_config.json, parsed. Default none. */
  readonly generationConfig?: Readonly<Record<string, unknown>>;
  /** Needed for text and stop strings. */
  readonly decoder?: TokenDecoder | undefined;
}

/** Share of the memory that a prompt's activations may take before it is computed in chunks. */
const ACTIVATION_SHARE = 1 / 8;

export class LanguageModel {
  readonly counters = createRunCounters();
  readonly #options: LanguageModelOptions;
  readonly #passes: PassRunner;
  readonly #lock = new RunLock();
  readonly #closing = new AbortController();
  readonly #room: WeightRoom;
  /** Memory of the run that holds the lock, and its pass in flight. */
  #runMemory: RunMemory | undefined;
  #pass: Promise<void> | undefined;

  constructor(options: LanguageModelOptions) {
    this.#options = options;
    this.#passes = new PassRunner(options);
    this.#room = new WeightRoom(options);
  }

  /** Seconds the device computed, per layer, the head last. */
  get computeSeconds(): readonly number[] {
    return this.#passes.computeSeconds;
  }

  /**
   * Continues every prompt, all in the same passes. Events of different sequences interleave.
   *
   * @param prompts token ids, each prompt at least one
   * @throws GenerateError `CONTEXT_OVERFLOW`, `INVALID_OPTION`, `ABORTED`, `BUDGET_TOO_SMALL`; LayerStoreError
   * `READ_FAILED`, `FILE_CHANGED`. The model stays usable.
   */
  async *stream(
    prompts: readonly (readonly number[])[],
    options: GenerationOptions = {},
  ): AsyncGenerator<TokenEvent, void, void> {
    const { definition, maxSequenceTokens, generationConfig = {} } = this.#options;
    const { vocabSize } = definition.sizes;
    checkOptionNames(options);
    for (const prompt of prompts) checkPrompt(prompt, { vocabSize, maxSequenceTokens, room: 1 });
    const maxNewTokens = resolveMaxNewTokens(options, generationConfig);
    const sequenceTokens = prompts.map((prompt) => Math.min(prompt.length + maxNewTokens, maxSequenceTokens));
    const createSequence = this.#sequenceFactory(options);
    const signal = this.#signalWith(options.signal);
    const release = await this.#lock.acquire();
    try {
      throwIfAborted(signal);
      const size = await this.#reserve({ sequenceTokens, promptRows: prompts.flat().length });
      // A pass that adds a token per sequence leaves the weights what the prompt's activations took.
      const stepSize = this.#sizeRun({ sequenceTokens, promptRows: prompts.length }, 0);
      using memory = this.#allocate(size);
      let firstBlock = 0;
      let active = prompts.map((promptIds, index) => {
        const tokens = sequenceTokens[index] ?? promptIds.length;
        const blocks = Int32Array.from({ length: blocksFor(tokens) }, (_, i) => firstBlock + i);
        firstBlock += blocks.length;
        return createSequence({
          index,
          promptIds,
          blocks,
          maxNewTokens: tokens - promptIds.length,
          ropes: definition.ropes,
        });
      });
      while (active.length > 0) {
        const events: TokenEvent[] = [];
        const passes = active.map((sequence) => sequence.nextPass());
        const passSize = isDecode(passes) ? stepSize : size;
        await this.#fit(memory, passSize, passes);
        const clock = this.#startClock();
        await this.#runPass(passes, memory, {
          shape: passSize.shape,
          signal,
          onStage: options.onStage,
          onLogits: (position, logits) => {
            const event = active[position]?.accept(logits);
            if (event) events.push(event);
          },
        });
        countPass(this.counters, passes, events.length, clock());
        yield* events;
        active = active.filter((sequence) => !sequence.finishReason);
      }
    } finally {
      release();
    }
  }

  /**
   * Logits after every token of one sequence.
   *
   * @returns row-major [tokens, vocabSize]
   */
  async logits(
    ids: readonly number[],
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<Float32Array> {
    const { definition, maxSequenceTokens } = this.#options;
    const { vocabSize } = definition.sizes;
    checkPrompt(ids, { vocabSize, maxSequenceTokens, room: 0 });
    const signal = this.#signalWith(options.signal);
    const release = await this.#lock.acquire();
    try {
      throwIfAborted(signal);
      const rows = ids.length;
      const size = await this.#reserve({ sequenceTokens: [rows], promptRows: rows, logitRows: rows });
      using memory = this.#allocate(size);
      const result = new Float32Array(ids.length * vocabSize);
      let row = 0;
      const blocks = Int32Array.from({ length: blocksFor(ids.length) }, (_, i) => i);
      const clock = this.#startClock();
      const pass = {
        tokens: ids,
        past: 0,
        blocks,
        slot: 0,
        promptLength: rows,
        logitPositions: ids.map((_, i) => i),
      };
      await this.#runPass([pass], memory, {
        shape: size.shape,
        signal,
        onLogits: (_, logits) => result.set(logits, row++ * vocabSize),
      });
      countPass(this.counters, [{ tokens: ids }], 0, clock());
      return result;
    } finally {
      release();
    }
  }

  /**
   * Ends the pass in flight and gives the memory of the current run back, also when its stream is held open.
   * Later calls, and the open stream, end with `ABORTED`. The store and the backend are the caller's.
   */
  async close(): Promise<void> {
    this.#closing.abort(new Error('The model was closed'));
    await this.#pass?.catch(() => undefined);
    this.#runMemory?.[Symbol.dispose]();
  }

  /** Aborted by the caller or by {@link close}. */
  #signalWith(signal: AbortSignal | undefined): AbortSignal {
    const closing = this.#closing.signal;
    return signal ? AbortSignal.any([signal, closing]) : closing;
  }

  #sequenceFactory(
    options: GenerationOptions,
  ): (
    place: Omit<ConstructorParameters<typeof Sequence>[0], 'sampler' | 'textStream' | 'eosTokenIds'>,
  ) => Sequence {
    const { decoder, eosTokenIds, generationConfig = {} } = this.#options;
    const sampling = resolveSamplingOptions(options, generationConfig);
    const stop = typeof options.stop === 'string' ? [options.stop] : [...(options.stop ?? [])];
    if (stop.length > 0 && !decoder) {
      throw new GenerateError('INVALID_OPTION', 'Expected no stop strings for a model without a tokenizer', {
        fields: { option: 'stop', expected: undefined, found: stop },
      });
    }
    const workspace = new SamplingWorkspace();
    const eos = new Set(options.ignoreEos ? [] : eosTokenIds);
    return (place) =>
      new Sequence({
        ...place,
        eosTokenIds: eos,
        sampler: createSampler(sampling, { sequenceIndex: place.index, workspace }),
        textStream: decoder && createTextStream(decoder, stop, place.promptIds),
      });
  }

  /**
   * Sizes the run and, where it needs more than is reserved, takes memory back from pinned weights, which get it
   * again from a later run that needs less. Where even that is too little, the prompt is computed in the smallest
   * chunks.
   */
  async #reserve(request: RunRequest): Promise<RunSize> {
    const wanted = this.#sizeRun(request, this.#room.activationRoomBytes * ACTIVATION_SHARE);
    if (!(await this.#room.makeRoom(this.#demandOf(wanted)))) return wanted;
    const smallest = this.#sizeRun(request, 0);
    const demand = this.#demandOf(smallest);
    const refusal = await this.#room.makeRoom(demand);
    if (!refusal) return smallest;
    if (refusal instanceof GenerateError) throw refusal;
    const { kvBytes, arenaBytes } = smallest;
    const missing = Number(refusal.fields['minimumBytes']) + demand.hostBytes - this.#room.memoryBytes;
    throw new GenerateError(
      'BUDGET_TOO_SMALL',
      `Expected ${missing} more bytes of memory for this run (KV cache ${kvBytes}, activations ${arenaBytes}); raise memory.host by that much, or lower maxNewTokens or the batch`,
      { fields: { missingBytes: missing, kvBytes, activationBytes: arenaBytes }, cause: refusal },
    );
  }

  #demandOf(size: RunSize): RunDemand {
    return demandOf(size, { onDevice: this.#options.device !== undefined });
  }

  #sizeRun(request: RunRequest, activationBytes: number): RunSize {
    return sizeRun(this.#options.definition, request, activationBytes);
  }

  /**
   * Divides the memory anew before a pass: an arena that shrinks leaves more for weights, a process that grew less. A store
   * that cannot give more stays as it is, since the run was granted when it began.
   */
  async #fit(memory: RunMemory, size: RunSize, passes: readonly PassSequence[]): Promise<void> {
    const cachedTokens = passes.reduce((sum, { past }) => sum + past, 0);
    const kvHostBytes = this.#options.device ? 0 : size.kvBytes;
    const writtenBytes = (kvHostBytes * cachedTokens) / (size.kvShape.blocks * KV_BLOCK_TOKENS);
    const grows = size.arenaElements > memory.arena.elements;
    if (!grows) memory.resizeArena(size);
    await this.#room.makeRoom(this.#demandOf(size), writtenBytes);
    if (grows) memory.resizeArena(size);
  }

  #allocate(size: RunSize): RunMemory {
    const memory = new RunMemory(this.#options.backend, size);
    this.#runMemory = memory;
    return memory;
  }

  async #runPass(
    sequences: readonly PassSequence[],
    memory: RunMemory,
    options: Omit<PassOptions, 'arena' | 'kvCache'>,
  ): Promise<void> {
    const { arena, kvCache } = memory;
    // Beside the pass: what the passes before read. A change is noticed one pass late, and costs no time.
    const [files] = await Promise.allSettled([
      this.#options.store.expectFilesUnchanged(),
      (this.#pass = this.#passes.run(sequences, { ...options, arena, kvCache })),
    ]);
    await this.#pass;
    if (files.status === 'rejected') throw files.reason;
  }

  /** Returns what has passed since: seconds, and of those the ones without a read in flight. */
  #startClock(): () => PassTime {
    const { store } = this.#options;
    const [started, idle] = [performance.now(), store.idleSeconds];
    return () => ({
      seconds: (performance.now() - started) / 1000,
      idleSeconds: store.idleSeconds - idle,
    });
  }
}
