// Which kind of vocabulary a checkpoint has, and how each kind becomes tokenizer.json.

import { convertSentencePiece } from './convert-sentencepiece.js';
import { convertTiktoken } from './convert-tiktoken.js';
import { convertVocabMerges, parseVocab } from './convert-vocab-merges.js';
import type { Family } from './families/family.js';
import type { VocabularyKind } from './families/find-family.js';
import { parseSentencePiece, type SentencePieceModel } from './parse-sentencepiece.js';
import { isTiktoken, parseTiktoken } from './parse-tiktoken.js';
import { WORD_PATTERNS } from './patterns.js';
import type { TokenWithId } from './surrounding-tokens.js';
import type { AddedTokenJson, TokenizerJson } from './tokenizer-json.js';

/** The vocabulary of a checkpoint: one file, or two that belong together. */
export type VocabularyFiles =
  | {
      /** tokenizer.model, spiece.model, qwen.tiktoken …; the kind is seen from the content. */
      readonly model: Uint8Array;
    }
  | {
      /** vocab.json, parsed. */
      readonly vocab: unknown;
      /** merges.txt */
      readonly merges: string;
    };

export interface Vocabulary {
  /** By id; ids without a token are holes. */
  readonly tokens: readonly string[];
  /** `bos_token` … as far as the file names them. */
  readonly specialTokens: Readonly<Record<string, string>>;
  readonly convert: (options: ConvertOptions) => TokenizerJson;
}

export interface ConvertOptions {
  readonly family: Family;
  readonly addedTokens: readonly AddedTokenJson[];
  readonly before: readonly TokenWithId[];
  readonly after: readonly TokenWithId[];
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
}

/** @throws TokenizerFormatError `INVALID_TOKENIZER`, `UNSUPPORTED_TOKENIZER` */
export function parseVocabulary(files: VocabularyFiles): { kind: VocabularyKind; vocabulary: Vocabulary } {
  if (!('model' in files)) return { kind: 'vocab', vocabulary: fromVocabMerges(files.vocab, files.merges) };
  return isTiktoken(files.model)
    ? { kind: 'tiktoken', vocabulary: fromTiktoken(files.model) }
    : { kind: 'sentencepiece', vocabulary: fromSentencePiece(parseSentencePiece(files.model)) };
}

function fromSentencePiece(model: SentencePieceModel): Vocabulary {
  const names = {
    bos_token: model.bosId,
    eos_token: model.eosId,
    unk_token: model.unkId,
    pad_token: model.padId,
  };
  return {
    tokens: model.pieces.map(({ piece }) => piece),
    specialTokens: Object.fromEntries(
      Object.entries(names).flatMap(([name, id]) => {
        const piece = model.pieces[id]?.piece;
        return piece === undefined ? [] : [[name, piece]];
      }),
    ),
    convert: ({ addedTokens, before, after, tokenizerConfig }) => {
      const prefixSpace = tokenizerConfig['legacy'] === false ? 'start' : 'each-part';
      return convertSentencePiece(model, { addedTokens, before, after, prefixSpace });
    },
  };
}

function fromTiktoken(bytes: Uint8Array): Vocabulary {
  const ranks = parseTiktoken(bytes);
  return {
    tokens: byId(ranks),
    specialTokens: {},
    convert: ({ family, ...options }) => convertTiktoken(ranks, { ...byteLevel(family), ...options }),
  };
}

function fromVocabMerges(vocabJson: unknown, mergesText: string): Vocabulary {
  const vocab = parseVocab(vocabJson);
  return {
    tokens: byId(Object.entries(vocab)),
    specialTokens: {},
    convert: ({ family, tokenizerConfig, ...options }) =>
      convertVocabMerges(vocab, mergesText, {
        ...byteLevel(family),
        ...options,
        addPrefixSpace: tokenizerConfig['add_prefix_space'] === true,
      }),
  };
}

function byId(entries: Iterable<readonly [string, number]>): string[] {
  const tokens: string[] = [];
  for (const [token, id] of entries) tokens[id] = token;
  return tokens;
}

function byteLevel({ pattern = WORD_PATTERNS.gpt2, normalizer }: Family) {
  return { pattern, normalizer: normalizer ?? null };
}
