export { compileCharsmap } from './charsmap.js';
export { convertSentencePiece, type SentencePieceOptions } from './convert-sentencepiece.js';
export { convertTokenizer, type ConvertedTokenizer, type TokenizerContext } from './convert-tokenizer.js';
export { TokenizerFormatError, type TokenizerFormatErrorCode } from './errors.js';
export { MAX_FILE_BYTES } from './limits.js';
export { parseSentencePiece, type SentencePiece, type SentencePieceModel } from './parse-sentencepiece.js';
export type { VocabularyFiles } from './parse-vocabulary.js';
export { PieceType } from './sentencepiece-schema.js';
export type { AddedTokenJson, BpeJson, StepJson, TokenizerJson, UnigramJson } from './tokenizer-json.js';
