// vocab.json and merges.txt (GPT-2, Qwen2 and their kin) as a tokenizer.json object.

import { invalid } from './errors.js';
import { linesOf } from './lines.js';
import { checkFileSize, MAX_TOKEN_LENGTH, MAX_VOCAB_SIZE } from './limits.js';
import { byteLevelWords } from './patterns.js';
import { surroundingTokens, type TokenWithId } from './surrounding-tokens.js';
import type { AddedTokenJson, StepJson, TokenizerJson } from './tokenizer-json.js';

export interface VocabMergesOptions {
  /** How text is cut into words; one of `WORD_PATTERNS`. */
  readonly pattern: string;
  readonly addedTokens: readonly AddedTokenJson[];
  /** Put before every text. Default none. */
  readonly before?: readonly TokenWithId[];
  /** Put after every text. Default none. */
  readonly after?: readonly TokenWithId[];
  /** Unicode normalization first. Default none. */
  readonly normalizer?: StepJson | null;
  /** Put a space before a text that has none. Default false. */
  readonly addPrefixSpace?: boolean;
}

/**
 * @param vocab from `parseVocab`
 * @param mergesText merges.txt
 * @throws TokenizerFormatError `INVALID_TOKENIZER`
 */
export function convertVocabMerges(
  vocab: Readonly<Record<string, number>>,
  mergesText: string,
  {
    pattern,
    addedTokens,
    before = [],
    after = [],
    normalizer = null,
    addPrefixSpace = false,
  }: VocabMergesOptions,
): TokenizerJson {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens,
    normalizer,
    pre_tokenizer: byteLevelWords(pattern, addPrefixSpace),
    post_processor: surroundingTokens(before, after),
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      vocab,
      merges: parseMerges(mergesText, vocab),
      unk_token: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
    },
  };
}

/**
 * @param value vocab.json, parsed
 * @throws TokenizerFormatError `INVALID_TOKENIZER` unless it is an object of tokens with ids of their own
 */
export function parseVocab(value: unknown): Record<string, number> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid('Expected vocab.json to be an object of tokens and ids.');
  }
  const entries = Object.entries(value as Record<string, unknown>);
  if (entries.length === 0 || entries.length > MAX_VOCAB_SIZE) {
    throw invalid(`Expected 1 to ${MAX_VOCAB_SIZE} tokens in vocab.json but found ${entries.length}.`);
  }
  const vocab = Object.create(null) as Record<string, number>;
  const ids = new Set<number>();
  for (const [token, id] of entries) {
    const isId = typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < 2 * MAX_VOCAB_SIZE;
    if (!isId || ids.has(id) || token.length > MAX_TOKEN_LENGTH) {
      throw invalid(
        `Expected an id of its own for ${token.slice(0, 40)} in vocab.json but found ${String(id)}.`,
      );
    }
    ids.add(id);
    vocab[token] = id;
  }
  return vocab;
}

function parseMerges(text: string, vocab: Readonly<Record<string, number>>): (readonly [string, string])[] {
  checkFileSize(text.length, 'merges.txt');
  const merges: (readonly [string, string])[] = [];
  let lineNumber = 0;
  for (const line of linesOf(text, 'merges.txt')) {
    lineNumber++;
    if (line === '' || (lineNumber === 1 && line.startsWith('#version'))) continue;
    const [left = '', right = '', ...rest] = line.split(' ');
    const isMerge = left in vocab && right in vocab && left + right in vocab && rest.length === 0;
    if (!isMerge) throw invalid(`Expected two tokens that make a third in line ${lineNumber} of merges.txt.`);
    merges.push([left, right]);
  }
  return merges;
}
