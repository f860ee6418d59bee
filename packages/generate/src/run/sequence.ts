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

  constructor(options: SequenceOptions) {
    this.#options = options;
  }

  get index(): number {
    return this.#options.index;
  }

  get length(): number {
    return this.#options.promptIds.length + this.generatedIds.length;
  }

  /** The tokens that are not in the KV cache yet; all of them where the rotary frequencies have changed (longrope). */
  nextPass(): PassSequence {
    const { index, promptIds, blocks, ropes } = this.#options;
    const variant = ropes
      .filter((rope) => rope.restartsOnChange)
      .map((rope) => rope.variant(this.length, promptIds.length))
      .join();
    const past = variant === this.#cachedVariant ? this.#cached : 0;
    const tokens = [...promptIds, ...this.generatedIds].slice(past);
    this.#cached = this.length;
    this.#cachedVariant = variant;
    return {
      tokens,
      past,
      blocks,
      slot: index,
      promptLength: promptIds.length,
      logitPositions: [tokens.length - 1],
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
}
