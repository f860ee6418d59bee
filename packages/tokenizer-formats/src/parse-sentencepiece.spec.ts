// A SentencePiece file comes from outside: everything in it is checked before it is believed.

import { create, toBinary } from '@bufbuild/protobuf';
import { TokenizerFormatError } from './errors.js';
import { parseSentencePiece } from './parse-sentencepiece.js';
import { modelProto } from './sentencepiece-schema.js';

interface Piece {
  piece: string;
  score?: number;
  type?: number;
}

const PIECES: Piece[] = [
  { piece: '<unk>', type: 2 },
  { piece: '<s>', type: 3 },
  { piece: '</s>', type: 3 },
  { piece: 'a', score: -1 },
];

function file(message: Record<string, unknown>): Uint8Array {
  return toBinary(
    modelProto,
    create(modelProto, { pieces: PIECES, trainerSpec: { modelType: 2 }, ...message }),
  );
}

function errorOf(bytes: Uint8Array): unknown {
  try {
    parseSentencePiece(bytes);
  } catch (error) {
    return error;
  }
  throw new Error('was accepted');
}

describe('parseSentencePiece', () => {
  it('takes the defaults of sentencepiece_model.proto for what the file leaves out', () => {
    expect(parseSentencePiece(file({}))).toEqual({
      pieces: [
        { piece: '<unk>', score: 0, type: 2 },
        { piece: '<s>', score: 0, type: 3 },
        { piece: '</s>', score: 0, type: 3 },
        { piece: 'a', score: -1, type: 1 },
      ],
      algorithm: 'bpe',
      byteFallback: false,
      unkId: 0,
      bosId: 1,
      eosId: 2,
      padId: -1,
      addDummyPrefix: true,
      removeExtraWhitespaces: true,
      charsmap: new Uint8Array(),
    });
  });

  it.each([
    ['no pieces', { pieces: [] }],
    ['a piece twice', { pieces: [...PIECES, { piece: 'a' }] }],
    ['an empty piece', { pieces: [...PIECES, { piece: '' }] }],
    ['a score that is no number', { pieces: [...PIECES, { piece: 'b', score: NaN }] }],
    ['an id past the pieces', { trainerSpec: { modelType: 2, eosId: 4 } }],
    ['an id below -1', { trainerSpec: { modelType: 2, unkId: -2 } }],
  ])('refuses %s', (_, message) => {
    expect(errorOf(file(message))).toMatchObject({ code: 'INVALID_TOKENIZER' });
  });

  it.each([
    ['word models', { trainerSpec: { modelType: 3 } }],
    ['spaces as suffixes', { trainerSpec: { modelType: 2, treatWhitespaceAsSuffix: true } }],
    ['spaces that are not escaped', { normalizerSpec: { escapeWhitespaces: false } }],
  ])('says that it does not know %s', (_, message) => {
    expect(errorOf(file(message))).toMatchObject({ code: 'UNSUPPORTED_TOKENIZER' });
  });

  it('refuses a file cut anywhere, or reads fewer pieces from it, but never fails otherwise', () => {
    const whole = file({});
    for (let length = 0; length < whole.length; length++) {
      const cut = whole.subarray(0, length);
      try {
        expect(parseSentencePiece(cut).pieces.length).toBeLessThanOrEqual(PIECES.length);
      } catch (error) {
        expect(error).toBeInstanceOf(TokenizerFormatError);
      }
    }
  });

  it('refuses a length past the end', () => {
    expect(errorOf(Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x07))).toMatchObject({
      code: 'INVALID_TOKENIZER',
    });
  });

  it('refuses more pieces than a vocabulary has before it makes objects of them', () => {
    // Two bytes each: field 1, length 0.
    const bomb = new Uint8Array(2 * (2 ** 20 + 1));
    for (let i = 0; i < bomb.length; i += 2) bomb[i] = 0x0a;
    expect(errorOf(bomb)).toMatchObject({
      code: 'INVALID_TOKENIZER',
      message: expect.stringContaining('at most 1048576 pieces') as string,
    });
  });
});
