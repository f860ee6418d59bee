// A SentencePiece model as a tokenizer.json object. Follows SentencePiece itself (normalizer.cc, bpe_model.cc)
// where transformers' converters only come near it.

import { mergeAddedTokens, specialToken } from './added-tokens.js';
import { MAX_TOKEN_LENGTH } from './limits.js';
import type { SentencePieceModel } from './parse-sentencepiece.js';
import { recoverMerges } from './sentencepiece-merges.js';
import { PieceType } from './sentencepiece-schema.js';
import { surroundingTokens, type TokenWithId } from './surrounding-tokens.js';
import {
  sequence,
  type AddedTokenJson,
  type BpeJson,
  type StepJson,
  type TokenizerJson,
  type UnigramJson,
} from './tokenizer-json.js';

/** U+2581, which stands for a space in pieces. */
const SPACE = '\u2581';

export interface SentencePieceOptions {
  /** Beside the control pieces of the model. Default none. */
  readonly addedTokens?: readonly AddedTokenJson[];
  /** Put before every text. Default none. */
  readonly before?: readonly TokenWithId[];
  /** Put after every text. Default none. */
  readonly after?: readonly TokenWithId[];
  /**
   * Where the space goes that the model wants before a text: after every special token too (`each-part`, as
   * SentencePiece does for each text it is given; `legacy` of LlamaTokenizer), or at the very start only
   * (`start`, LlamaTokenizer with `legacy: false`). Default `each-part`.
   */
  readonly prefixSpace?: 'each-part' | 'start';
}

/**
 * @throws TokenizerFormatError `INVALID_TOKENIZER`
 * @example
 * const json = convertSentencePiece(parseSentencePiece(bytes));
 * new Tokenizer(json, {}).encode('Hello');
 */
export function convertSentencePiece(
  model: SentencePieceModel,
  options: SentencePieceOptions = {},
): TokenizerJson {
  const { addedTokens = [], before = [], after = [], prefixSpace = 'each-part' } = options;
  const control = model.pieces.flatMap(({ piece, type }, id) =>
    type === PieceType.control || type === PieceType.unknown ? [specialToken(id, piece)] : [],
  );
  const userDefined = model.pieces.filter(({ type }) => type === PieceType.userDefined);
  const byMetaspace = model.addDummyPrefix && prefixSpace === 'start';
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: mergeAddedTokens(control, addedTokens),
    normalizer: normalizer(model, model.addDummyPrefix && !byMetaspace),
    pre_tokenizer: sequence('pretokenizers', [
      ...(byMetaspace ? [METASPACE] : []),
      ...(userDefined.length > 0 ? [isolate(userDefined.map(({ piece }) => piece)), PART_BYTE_NAMES] : []),
    ]),
    post_processor: surroundingTokens(before, after),
    decoder: decoder(model),
    model: model.algorithm === 'bpe' ? bpe(model, userDefined.length > 0) : unigram(model),
  };
}

function normalizer(model: SentencePieceModel, prepend: boolean): StepJson | null {
  const replace = (pattern: Record<string, string>, content: string): StepJson => ({
    type: 'Replace',
    pattern,
    content,
  });
  const { charsmap } = model;
  return sequence('normalizers', [
    ...(charsmap.length > 0
      ? [{ type: 'Precompiled', precompiled_charsmap: Buffer.from(charsmap).toString('base64') }]
      : []),
    ...(model.removeExtraWhitespaces
      ? [replace({ Regex: `\\A +|[ ${SPACE}]+\\z` }, ''), replace({ Regex: ' {2,}' }, ' ')]
      : []),
    ...(prepend ? [prefix(model)] : []),
    replace({ String: ' ' }, SPACE),
  ]);
}

/** A text of which nothing is left gets no prefix; Prepend would give it one. */
function prefix({ removeExtraWhitespaces }: SentencePieceModel): StepJson {
  return removeExtraWhitespaces
    ? { type: 'Replace', pattern: { Regex: '\\A(?=[\\s\\S])' }, content: SPACE }
    : { type: 'Prepend', prepend: SPACE };
}

/** The library's own way to say "at the very start"; it adds nothing before a space. */
const METASPACE: StepJson = {
  type: 'Metaspace',
  replacement: SPACE,
  prepend_scheme: 'first',
  split: false,
};

/**
 * User-defined pieces are never joined with what is beside them, the longest wins. They are not added tokens,
 * because those would get a prefix space behind them.
 */
function isolate(pieces: readonly string[]): StepJson {
  const longestFirst = [...pieces].sort((a, b) => b.length - a.length);
  const escaped = longestFirst.map((piece) => piece.replace(/[\\^$.*+?()[\]{}|/#&~-]/g, '\\$&'));
  return {
    type: 'Split',
    pattern: { Regex: escaped.join('|') },
    behavior: 'Isolated',
    invert: false,
  };
}

/** A word that is written like the name of a byte piece must not be taken for it (see `wholeWords`). */
const PART_BYTE_NAMES: StepJson = {
  type: 'Split',
  pattern: { Regex: '\\A<(?=0x[0-9A-F]{2}>\\z)' },
  behavior: 'Isolated',
  invert: false,
};

function decoder(model: SentencePieceModel): StepJson | null {
  const leading = model.removeExtraWhitespaces ? MAX_TOKEN_LENGTH : model.addDummyPrefix ? 1 : 0;
  return sequence('decoders', [
    { type: 'Replace', pattern: { String: SPACE }, content: ' ' },
    ...(model.byteFallback ? [{ type: 'ByteFallback' }] : []),
    { type: 'Fuse' },
    ...(leading > 0 ? [{ type: 'Strip', content: ' ', start: leading, stop: 0 }] : []),
  ]);
}

/** @param wholeWords take a word that is a piece as it is: how isolated user-defined pieces get their ids */
function bpe(model: SentencePieceModel, wholeWords: boolean): BpeJson {
  const vocab = Object.create(null) as Record<string, number>;
  model.pieces.forEach(({ piece }, id) => (vocab[piece] = id));
  return {
    type: 'BPE',
    vocab,
    merges: recoverMerges(model.pieces),
    unk_token: model.pieces[model.unkId]?.piece ?? null,
    fuse_unk: true,
    byte_fallback: model.byteFallback,
    ignore_merges: wholeWords,
  };
}

function unigram(model: SentencePieceModel): UnigramJson {
  return {
    type: 'Unigram',
    vocab: model.pieces.map(({ piece, score }) => [piece, score] as const),
    unk_id: model.unkId < 0 ? null : model.unkId,
    byte_fallback: model.byteFallback,
  };
}
