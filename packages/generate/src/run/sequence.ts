// One prompt being continued: its tokens, its place in the KV cache, and the rules that end it.

import type { Rope } from '@airllm/model-zoo';
import type { PassSequence } from '../pass/split-pass.js';
import type { Sampler } from '../sampling/sampler.js';
import type { TextStream } from '../stop/text-stream.js';
import type { FinishReason, TokenEvent } from './token-event.js';

export interface SequenceOptions {
  readonly index: number;
  readonly promptIds: readonly number[];
  readonly blocks: Int32Array;
  readonly maxNewTokens: number;
  readonly eosTokenIds: ReadonlySet<number>;
  readonly sampler: Sampler;
  /** Undefined where nobody wants text. */
  readonly textStream: TextStream | undefined;
  readonly ropes: readonly Rope[];
}

export class Sequence {
  readonly generatedIds: number[] = [];
  finishReason: FinishReason | undefined;
  readonly #options: SequenceOptions;
  #cached = 0;
  #cachedVariant: string | undefined;
  /** Tokens that were in a KV cache which is gone, and have to be written as they were. */
  #lost = 0;

  constructor(options: SequenceOptions) {
    this.#options = options;
  }

  get index(): number {
    return this.#options.index;
  }

  get length(): number {
    return this.#options.promptIds.length + this.generatedIds.length;
  }

  /** The KV cache is gone: everything is computed again, the token chosen last included. */
  restart(): void {
    this.#lost = Math.max(this.#lost, this.#cached);
    this.#cachedVariant = undefined;
  }

  /**
   * The tokens that are not in the KV cache yet; all of them where the rotary frequencies have changed (longrope). After a
   * {@link restart} it may take several passes, the last of which wants logits.
   */
  nextPass(): PassSequence {
    const { index, promptIds, blocks, ropes } = this.#options;
    const variant = this.#variantOf(
      ropes.filter((rope) => rope.restartsOnChange),
      this.length,
    );
    const past = variant === this.#cachedVariant ? this.#cached : 0;
    const end = past < this.#lost ? this.#endOfVariant(past) : this.length;
    const tokens = [...promptIds, ...this.generatedIds].slice(past, end);
    this.#cached = end;
    this.#cachedVariant = variant;
    return {
      tokens,
      past,
      blocks,
      slot: index,
      promptLength: promptIds.length,
      logitPositions: end === this.length ? [tokens.length - 1] : [],
    };
  }

  /** Chooses the next token from the logits of the last one. */
  accept(logits: Float32Array): TokenEvent {
    const { index, promptIds, sampler, textStream, eosTokenIds, maxNewTokens } = this.#options;
    const { tokenId } = sampler.sample(logits, { promptIds, generatedIds: this.generatedIds });
    this.generatedIds.push(tokenId);
    let text = '';
    if (eosTokenIds.has(tokenId)) {
      this.finishReason = 'eos';
    } else if (textStream) {
      const pushed = textStream.push(tokenId);
      text = pushed.text;
      if (pushed.stopped) this.finishReason = 'stop';
    }
    if (!this.finishReason && this.generatedIds.length >= maxNewTokens) this.finishReason = 'length';
    if (this.finishReason && this.finishReason !== 'stop') text += textStream?.end() ?? '';
    return { sequence: index, tokenId, text, finishReason: this.finishReason };
  }

  /**
   * Where the keys from `past` on were written with other frequencies than that at `past`: each pass of a sequence that
   * outgrows its rope (dynamic) has its own, and those before stay as they were.
   */
  #endOfVariant(past: number): number {
    const ropes = this.#options.ropes.filter((rope) => !rope.restartsOnChange);
    const variantAt = (position: number): string =>
      this.#variantOf(ropes, Math.max(this.#options.promptIds.length, position + 1));
    const variant = variantAt(past);
    let end = past + 1;
    while (end < this.length && variantAt(end) === variant) end += 1;
    return end;
  }

  #variantOf(ropes: readonly Rope[], length: number): string {
    return ropes.map((rope) => rope.variant(length, this.#options.promptIds.length)).join();
  }
}
