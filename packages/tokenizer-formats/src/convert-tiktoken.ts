// tiktoken ranks as a tokenizer.json object.

import { checkSplitWork } from './limits.js';
import { byteLevelWords } from './patterns.js';
import { surroundingTokens, type TokenWithId } from './surrounding-tokens.js';
import type { AddedTokenJson, StepJson, TokenizerJson } from './tokenizer-json.js';

export interface TiktokenOptions {
  /** How text is cut into words; one of `WORD_PATTERNS`. */
  readonly pattern: string;
  /** The special tokens, which rank files do not hold. */
  readonly addedTokens: readonly AddedTokenJson[];
  /** Put before every text. Default none. */
  readonly before?: readonly TokenWithId[];
  /** Put after every text. Default none. */
  readonly after?: readonly TokenWithId[];
  /** Unicode normalization first. Default none. */
  readonly normalizer?: StepJson | null;
}

/**
 * @param ranks from `parseTiktoken`
 * @throws TokenizerFormatError `INVALID_TOKENIZER`
 */
export function convertTiktoken(
  ranks: ReadonlyMap<string, number>,
  { pattern, addedTokens, before = [], after = [], normalizer = null }: TiktokenOptions,
): TokenizerJson {
  const vocab = Object.create(null) as Record<string, number>;
  for (const [token, rank] of ranks) vocab[token] = rank;
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens,
    normalizer,
    pre_tokenizer: byteLevelWords(pattern),
    post_processor: surroundingTokens(before, after),
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      vocab,
      merges: recoverMerges(ranks),
      unk_token: null,
      fuse_unk: false,
      byte_fallback: false,
      // tiktoken takes a word that is a token as it is.
      ignore_merges: true,
    },
  };
}

/** Every split of every token into two tokens, lowest rank first (transformers' TikTokenConverter). */
function recoverMerges(ranks: ReadonlyMap<string, number>): (readonly [string, string])[] {
  checkSplitWork(ranks.keys());
  const merges: (readonly [string, string])[] = [];
  // Keys come in ascending rank, so merges need no sorting but among the splits of one token.
  for (const token of ranks.keys()) {
    const splits: { pair: readonly [string, string]; left: number; right: number }[] = [];
    for (let cut = 1; cut < token.length; cut++) {
      const left = ranks.get(token.slice(0, cut));
      if (left === undefined) continue;
      const right = ranks.get(token.slice(cut));
      if (right !== undefined) splits.push({ pair: [token.slice(0, cut), token.slice(cut)], left, right });
    }
    splits.sort((a, b) => a.left - b.left || a.right - b.right);
    for (const { pair } of splits) merges.push(pair);
  }
  return merges;
}
