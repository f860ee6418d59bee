// A model that can be run: turns passes into tokens, one run at a time, and goes on with another engine where one is lost.

import type { ModelDefinition } from '@airllm/model-zoo';
import { GenerateError } from '../errors.js';
import { createComputeSeconds, throwIfAborted } from '../pass/pass-runner.js';
import { createSampler } from '../sampling/sampler.js';
import { resolveSamplingOptions } from '../sampling/sampling-options.js';
import { SamplingWorkspace } from '../sampling/workspace.js';
import type { TokenDecoder } from '../stop/stream-decoder.js';
import { createTextStream } from '../stop/text-stream.js';
import { checkPrompt } from './check-prompt.js';
import type { Engine, RecoverEngine } from './engine.js';
import { checkOptionNames, resolveMaxNewTokens, type GenerationOptions } from './generation-options.js';
import { RunAttempts } from './run-attempts.js';
import { countPass, createRunCounters, isDecode } from './run-counters.js';
import { RunLock } from './run-lock.js';
import { blocksFor, sizeRun } from './run-size.js';
import { Sequence } from './sequence.js';
import type { TokenEvent } from './token-event.js';

export interface LanguageModelOptions extends Engine {
  readonly definition: ModelDefinition;
  /** Longest sequence allowed, prompt included. */
  readonly maxSequenceTokens: number;
  readonly eosTokenIds: readonly number[];
  /** generation_config.json, parsed. Default none. */
  readonly generationConfig?: Readonly<Record<string, unknown>>;
  /** Needed for text and stop strings. */
  readonly decoder?: TokenDecoder | undefined;
  /**
   * Called when the device is lost or out of memory: the run goes on with the engine it resolves to, from the last complete
   * token of every sequence. Default: the run ends with the error.
   */
  readonly recover?: RecoverEngine | undefined;
}

export class LanguageModel {
  readonly counters = createRunCounters();
  /** Seconds the device computed, per layer, the head last. */
  readonly computeSeconds: readonly number[];
  readonly #options: LanguageModelOptions;
  readonly #lock = new RunLock();
  readonly #closing = new AbortController();
  readonly #attempts: RunAttempts;

  constructor(options: LanguageModelOptions) {
    const computeSeconds = createComputeSeconds(options.definition);
    this.computeSeconds = computeSeconds;
    this.#options = options;
    this.#attempts = new RunAttempts(options, { computeSeconds, closing: this.#closing.signal });
  }

  /**
   * Continues every prompt, all in the same passes. Events of different sequences interleave.
   *
   * @param prompts token ids, each prompt at least one
   * @throws GenerateError `CONTEXT_OVERFLOW`, `INVALID_OPTION`, `ABORTED`, `BUDGET_TOO_SMALL`; LayerStoreError
   * `READ_FAILED`, `FILE_CHANGED`. The model stays usable. BackendError `DEVICE_LOST`, `OUT_OF_DEVICE_MEMORY`
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
      // A pass that adds a token per sequence leaves the weights what the prompt's activations took.
      const stepSize = sizeRun(definition, { sequenceTokens, promptRows: prompts.length }, 0);
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
        const promptRows = active.reduce((rows, { length }) => rows + length, 0);
        const loss = await this.#attempts.try(
          { sequenceTokens, promptRows },
          async (runner, memory, size) => {
            throwIfAborted(signal);
            const passes = active.map((sequence) => sequence.nextPass());
            const passSize = isDecode(passes) ? stepSize : size;
            await runner.fit(memory, passSize, passes);
            const clock = runner.startClock();
            await runner.runPass(passes, memory, {
              shape: passSize.shape,
              signal,
              onStage: options.onStage,
              onLogits: (position, logits) => {
                const event = active[position]?.accept(logits);
                if (event) events.push(event);
              },
            });
            countPass(this.counters, passes, events.length, clock());
          },
        );
        if (loss) this.counters.generatedTokens += events.length;
        yield* events;
        active = active.filter((sequence) => !sequence.finishReason);
        if (!loss || active.length === 0) continue;
        await this.#attempts.recover(loss);
        for (const sequence of active) sequence.restart();
      }
    } finally {
      this.#attempts.end();
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
      const result = new Float32Array(rows * vocabSize);
      const blocks = Int32Array.from({ length: blocksFor(rows) }, (_, i) => i);
      const logitPositions = ids.map((_, i) => i);
      const pass = { tokens: ids, past: 0, blocks, slot: 0, promptLength: rows, logitPositions };
      const request = { sequenceTokens: [rows], promptRows: rows, logitRows: rows };
      const attempt = () =>
        this.#attempts.try(request, async (runner, memory, { shape }) => {
          throwIfAborted(signal);
          let row = 0;
          const clock = runner.startClock();
          await runner.runPass([pass], memory, {
            shape,
            signal,
            onLogits: (_, logits) => result.set(logits, row++ * vocabSize),
          });
          countPass(this.counters, [{ tokens: ids }], 0, clock());
        });
      for (let loss = await attempt(); loss; loss = await attempt()) await this.#attempts.recover(loss);
      return result;
    } finally {
      this.#attempts.end();
      release();
    }
  }

  /**
   * Ends the pass in flight and gives the memory of the current run back, also when its stream is held open.
   * Later calls, and the open stream, end with `ABORTED`. The store and the backend are the caller's.
   */
  async close(): Promise<void> {
    this.#closing.abort(new Error('The model was closed'));
    await this.#attempts.settled();
    this.#attempts.end();
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
}
