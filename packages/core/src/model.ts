// The model a user holds: prompts in, text or tokens out. Everything it does is done below; it owns what it
// was opened with and gives it back.

import type { Checkpoint } from '@airllm/checkpoint';
import type { FinishReason, GenerationOptions, LanguageModel, TokenEvent } from '@airllm/generate';
import type { EngineKeeper } from './engine/engine-keeper.js';
import { CoreError } from './errors.js';
import type { ModelPlan } from './plan.js';
import { encodePrompts, type Prompt } from './prompt.js';
import { collectStats, formatProfile, type ModelStats } from './stats.js';
import type { ModelTokenizer } from './tokenizer/model-tokenizer.js';

export interface GenerationResult {
  /** The new text; empty for a model without a tokenizer. */
  readonly text: string;
  /** The new tokens, the end-of-sequence token included. */
  readonly tokenIds: readonly number[];
  readonly finishReason: FinishReason;
}

/** Logits after every token. */
export interface Logits {
  /** Row-major. */
  readonly data: Float32Array;
  /** [tokens, vocabSize] */
  readonly shape: readonly [number, number];
}

/** What a model is made of; it takes ownership. */
export interface ModelParts {
  readonly checkpoint: Checkpoint;
  readonly engines: EngineKeeper;
  readonly runner: LanguageModel;
  readonly vocabSize: number;
  /** The tokenizer, or why there is none. */
  readonly tokenizer: ModelTokenizer | CoreError;
  /** Gets a table of times after every run. */
  readonly onProfile: ((table: string) => void) | undefined;
}

/** A result while it grows. */
interface GrowingResult extends GenerationResult {
  text: string;
  tokenIds: number[];
  finishReason: FinishReason;
}

function createResult(): GrowingResult {
  return { text: '', tokenIds: [], finishReason: 'length' };
}

/** Opened by {@link AutoModel.fromPretrained}. One run at a time: others wait until it has ended. */
export class Model implements AsyncDisposable {
  readonly #parts: ModelParts;
  #closing: Promise<void> | undefined;

  constructor(parts: ModelParts) {
    this.#parts = parts;
  }

  get id(): string {
    return this.#parts.checkpoint.id;
  }

  /** The device in one line. */
  get device(): string {
    return this.#parts.engines.engine.backend.description;
  }

  /** Of the device in use: another one's where the model fell back to it. */
  get plan(): ModelPlan {
    return this.#parts.engines.engine.plan;
  }

  get stats(): ModelStats {
    const { engines, runner } = this.#parts;
    return collectStats(engines.engine, engines.storeStats, runner);
  }

  /** @throws CoreError `MISSING_TOKENIZER` when the checkpoint has none; token ids still work */
  get tokenizer(): ModelTokenizer {
    const { tokenizer } = this.#parts;
    if (tokenizer instanceof CoreError) throw tokenizer;
    return tokenizer;
  }

  /**
   * Continues a prompt. A string is raw text, `{ messages }` goes through the chat template. A list of prompts
   * runs as one batch and gives a list of results.
   *
   * @throws CoreError, GenerateError (`CONTEXT_OVERFLOW`, `ABORTED`, `INVALID_OPTION` …), LayerStoreError
   * (`READ_FAILED`). The model stays usable.
   * @example
   * const { text } = await model.generate({ messages: [{ role: 'user', content: 'Hi' }] }, { maxNewTokens: 50 });
   */
  generate(
    prompt: readonly string[] | { readonly inputIds: readonly (readonly number[])[] },
    options?: GenerationOptions,
  ): Promise<GenerationResult[]>;
  generate(
    prompt: Exclude<Prompt, readonly string[]>,
    options?: GenerationOptions,
  ): Promise<GenerationResult>;
  async generate(
    prompt: Prompt,
    options: GenerationOptions = {},
  ): Promise<GenerationResult | GenerationResult[]> {
    const { ids, isList } = encodePrompts(prompt, () => this.tokenizer);
    const results = ids.map(createResult);
    for await (const { sequence, tokenId, text, finishReason } of this.#run(ids, options)) {
      const result = results[sequence];
      if (!result) continue;
      result.text += text;
      result.tokenIds.push(tokenId);
      if (finishReason) result.finishReason = finishReason;
    }
    const [first] = results;
    return isList || !first ? results : first;
  }

  /**
   * The same, token by token. `text` of all events of a sequence together is the whole text; it is always
   * whole characters. Leaving the loop ends the run.
   */
  async *stream(prompt: Prompt, options: GenerationOptions = {}): AsyncGenerator<TokenEvent, void, void> {
    const { ids } = encodePrompts(prompt, () => this.tokenizer);
    yield* this.#run(ids, options);
  }

  /** Logits after every token of `inputIds`. */
  async logits(inputIds: readonly number[], options: { signal?: AbortSignal } = {}): Promise<Logits> {
    this.#checkOpen();
    const data = await this.#parts.runner.logits(inputIds, options);
    return { data, shape: [inputIds.length, this.#parts.vocabSize] };
  }

  /** Ends the run in flight, gives all memory back and closes the files. */
  [Symbol.asyncDispose](): Promise<void> {
    const { runner, engines } = this.#parts;
    this.#closing ??= (async () => {
      await runner.close();
      await engines[Symbol.asyncDispose]();
    })();
    return this.#closing;
  }

  async *#run(
    ids: readonly (readonly number[])[],
    options: GenerationOptions,
  ): AsyncGenerator<TokenEvent, void, void> {
    this.#checkOpen();
    yield* this.#parts.runner.stream(ids, options);
    this.#parts.onProfile?.(formatProfile(this.stats));
  }

  #checkOpen(): void {
    if (this.#closing)
      throw new CoreError('MODEL_CLOSED', `Expected an open model but ${this.id} was closed`);
  }
}
