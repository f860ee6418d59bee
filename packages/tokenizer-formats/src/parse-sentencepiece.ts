// A SentencePiece model file as checked data. Wire format: @bufbuild/protobuf.

import { fromBinary } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { invalid, TokenizerFormatError } from './errors.js';
import { checkFileSize, MAX_VOCAB_SIZE } from './limits.js';
import { modelProto } from './sentencepiece-schema.js';

export interface SentencePiece {
  readonly piece: string;
  readonly score: number;
  /** One of `PieceType`. */
  readonly type: number;
}

/** What tokenizing needs of a SentencePiece model, whatever file it came from. */
export interface SentencePieceModel {
  readonly pieces: readonly SentencePiece[];
  readonly algorithm: 'unigram' | 'bpe';
  readonly byteFallback: boolean;
  /** -1: none. */
  readonly unkId: number;
  readonly bosId: number;
  readonly eosId: number;
  readonly padId: number;
  /** Every text starts with a space. */
  readonly addDummyPrefix: boolean;
  /** Spaces at the ends go, runs of them become one. */
  readonly removeExtraWhitespaces: boolean;
  /** Character map compiled by SentencePiece (nmt_nfkc …); empty: none. */
  readonly charsmap: Uint8Array;
}

/** Field number of `pieces` in ModelProto. */
const PIECES_FIELD = 1;

/**
 * Reads a SentencePiece model (`tokenizer.model`, `spiece.model`).
 *
 * @throws TokenizerFormatError `INVALID_TOKENIZER`, `UNSUPPORTED_TOKENIZER` (word and char models, spaces as suffix)
 * @example
 * const model = parseSentencePiece(await readFile('tokenizer.model'));
 * model.pieces.length; // 32000
 */
export function parseSentencePiece(bytes: Uint8Array): SentencePieceModel {
  checkFileSize(bytes.length, 'the SentencePiece model');
  const raw = decode(bytes);
  const trainer = asMessage(raw['trainerSpec']);
  const normalizer = asMessage(raw['normalizerSpec']);
  const pieces = parsePieces(raw['pieces']);
  const id = (name: string, absent: number): number => {
    const value = trainer[name] ?? absent;
    if (typeof value === 'number' && value >= -1 && value < pieces.length) return value;
    throw invalid(
      `Expected ${name} of the SentencePiece model to be one of its pieces but found ${JSON.stringify(value)}.`,
    );
  };
  const flag = (message: Record<string, unknown>, name: string, absent: boolean): boolean =>
    typeof message[name] === 'boolean' ? message[name] : absent;
  if (flag(trainer, 'treatWhitespaceAsSuffix', false)) throw unsupported('spaces as suffixes');
  if (!flag(normalizer, 'escapeWhitespaces', true)) throw unsupported('spaces that are not escaped');
  const charsmap = normalizer['precompiledCharsmap'];
  return {
    pieces,
    algorithm: parseAlgorithm(trainer['modelType'] ?? 1),
    byteFallback: flag(trainer, 'byteFallback', false),
    unkId: id('unkId', 0),
    bosId: id('bosId', 1),
    eosId: id('eosId', 2),
    padId: id('padId', -1),
    addDummyPrefix: flag(normalizer, 'addDummyPrefix', true),
    removeExtraWhitespaces: flag(normalizer, 'removeExtraWhitespaces', true),
    charsmap: charsmap instanceof Uint8Array ? charsmap : new Uint8Array(),
  };
}

function decode(bytes: Uint8Array): Record<string, unknown> {
  try {
    checkPieceCount(bytes);
    return asMessage(fromBinary(modelProto, bytes, { readUnknownFields: false }));
  } catch (cause) {
    if (cause instanceof TokenizerFormatError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw invalid(`Expected a SentencePiece model (protobuf) but could not read it: ${reason}.`, cause);
  }
}

/** Walks the outermost fields only: a piece takes two bytes in the file but an object in memory. */
function checkPieceCount(bytes: Uint8Array): void {
  const reader = new BinaryReader(bytes);
  let count = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === PIECES_FIELD && wireType === WireType.LengthDelimited && ++count > MAX_VOCAB_SIZE) {
      throw invalid(`Expected at most ${MAX_VOCAB_SIZE} pieces in the SentencePiece model.`);
    }
    reader.skip(wireType, field);
  }
}

function parsePieces(value: unknown): SentencePiece[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw invalid('Expected pieces in the SentencePiece model but found none.');
  }
  const seen = new Set<string>();
  return value.map((entry: unknown, id) => {
    const { piece, score = 0, type = 1 } = asMessage(entry);
    if (typeof piece !== 'string' || piece === '' || seen.has(piece)) {
      throw invalid(
        `Expected piece ${id} of the SentencePiece model to be a text of its own but found ${String(piece)}.`,
      );
    }
    if (typeof score !== 'number' || !Number.isFinite(score) || typeof type !== 'number') {
      throw invalid(`Expected a score and a type for piece ${id} of the SentencePiece model.`);
    }
    seen.add(piece);
    return { piece, score, type };
  });
}

function parseAlgorithm(modelType: unknown): 'unigram' | 'bpe' {
  if (modelType === 1) return 'unigram';
  if (modelType === 2) return 'bpe';
  throw unsupported(`model type ${String(modelType)} (supported: unigram 1, bpe 2)`);
}

function unsupported(what: string): TokenizerFormatError {
  return new TokenizerFormatError(
    'UNSUPPORTED_TOKENIZER',
    `The SentencePiece model has ${what}, which is not supported.`,
  );
}

function asMessage(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
