// A byte-level BPE vocabulary (`tokenizer.ggml.model` = gpt2) as a tokenizer.json object.

import type { AddedTokenJson, StepJson, TokenizerJson } from '@airllm/tokenizer-formats';
import { shown } from '../gguf-error.js';
import type { Metadata } from '../metadata.js';
import { invalidTokenizer, type Vocabulary } from './vocabulary.js';
import { wordRule, type WordRule } from './word-patterns.js';

export interface ByteLevelOptions {
  /** Name of the word rule. */
  readonly pre: string;
  readonly addedTokens: readonly AddedTokenJson[];
  /** Put around every text. */
  readonly before: readonly SurroundingToken[];
  readonly after: readonly SurroundingToken[];
}

export interface SurroundingToken {
  readonly content: string;
  readonly id: number;
}

/** @throws GgufError `UNSUPPORTED_TOKENIZER`, `INVALID_TOKENIZER`, `INVALID_METADATA` */
export function byteLevelTokenizer(
  metadata: Metadata,
  vocabulary: Vocabulary,
  { pre, addedTokens, before, after }: ByteLevelOptions,
): TokenizerJson {
  const rule = wordRule(pre);
  const vocab = Object.create(null) as Record<string, number>;
  vocabulary.texts.forEach((text, id) => (vocab[text] = id));
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens,
    normalizer: rule.nfc ? { type: 'NFC' } : null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: words(rule) },
    post_processor: surround(before, after),
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      vocab,
      merges: parseMerges(metadata.strings('tokenizer.ggml.merges'), vocab),
      unk_token: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: rule.ignoreMerges,
    },
  };
}

function words({ patterns }: WordRule): StepJson[] {
  return [
    ...patterns.map((pattern) => ({
      type: 'Split',
      pattern: { Regex: pattern },
      behavior: 'Isolated',
      invert: false,
    })),
    { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
  ];
}

/** Two tokens with a space between; in the byte-level alphabet no token has one. */
function parseMerges(
  lines: readonly string[],
  vocab: Readonly<Record<string, number>>,
): (readonly [string, string])[] {
  return lines.map((line, index) => {
    const [left = '', right = '', ...others] = line.split(' ');
    if (left in vocab && right in vocab && left + right in vocab && others.length === 0) return [left, right];
    throw invalidTokenizer(`two tokens that make a third as merge ${index} but the file has ${shown(line)}`);
  });
}

function surround(before: readonly SurroundingToken[], after: readonly SurroundingToken[]): StepJson | null {
  if (before.length + after.length === 0) return null;
  const special = ({ content }: SurroundingToken) => ({ SpecialToken: { id: content, type_id: 0 } });
  const around = (name: string) => [
    ...before.map(special),
    { Sequence: { id: name, type_id: 0 } },
    ...after.map(special),
  ];
  return {
    type: 'TemplateProcessing',
    single: around('A'),
    pair: [...around('A'), ...around('B')],
    special_tokens: Object.fromEntries(
      [...before, ...after].map(({ content, id }) => [
        content,
        { id: content, ids: [id], tokens: [content] },
      ]),
    ),
  };
}
