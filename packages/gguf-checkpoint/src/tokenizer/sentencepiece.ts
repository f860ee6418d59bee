// A SentencePiece BPE vocabulary (`tokenizer.ggml.model` = llama) as a tokenizer.json object.

import {
  convertSentencePiece,
  type SentencePieceModel,
  type SentencePieceOptions,
  type TokenizerJson,
} from '@airllm/tokenizer-formats';
import type { Metadata } from '../metadata.js';
import { TokenKind, type Vocabulary } from './vocabulary.js';

/** @throws GgufError `INVALID_METADATA`; TokenizerFormatError `INVALID_TOKENIZER` */
export function sentencePieceTokenizer(
  metadata: Metadata,
  vocabulary: Vocabulary,
  options: SentencePieceOptions,
): TokenizerJson {
  const { texts, kinds } = vocabulary;
  const scores = metadata.numbers('tokenizer.ggml.scores', texts.length);
  const model: SentencePieceModel = {
    pieces: texts.map((piece, id) => ({ piece, score: scores[id] ?? 0, type: pieceType(kinds[id]) })),
    algorithm: 'bpe',
    byteFallback: kinds.includes(TokenKind.byte),
    unkId: vocabulary.unkId ?? kinds.indexOf(TokenKind.unknown),
    bosId: vocabulary.bosId ?? -1,
    eosId: vocabulary.eosId ?? -1,
    padId: vocabulary.padId ?? -1,
    addDummyPrefix: metadata.boolean('tokenizer.ggml.add_space_prefix', true),
    removeExtraWhitespaces: metadata.boolean('tokenizer.ggml.remove_extra_whitespaces', false),
    charsmap: new Uint8Array(),
  };
  return convertSentencePiece(model, options);
}

/** Kinds are SentencePiece's; user-defined ones are added tokens here, as llama.cpp and transformers find them. */
function pieceType(kind: number | undefined): number {
  return kind === TokenKind.userDefined ? TokenKind.control : (kind ?? TokenKind.normal);
}
