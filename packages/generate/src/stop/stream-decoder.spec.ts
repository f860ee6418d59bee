import { Xoshiro128 } from '../sampling/xoshiro128.js';
import { StreamDecoder, type TokenDecoder } from './stream-decoder.js';

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Byte-level BPE at its hardest: every token is one byte. */
const bytes: TokenDecoder = { decode: (ids) => utf8.decode(Uint8Array.from(ids)) };

/** SentencePiece: ▁ is a space, ids from 256 up are bytes, the first space of the whole is stripped. */
const PIECES = ['▁', '▁a', 'b', '▁▁', 'é', '▁c', '\n', ''];
const sentencePiece: TokenDecoder = {
  decode(ids) {
    let text = '';
    for (let i = 0; i < ids.length;) {
      const run: number[] = [];
      while ((ids[i] ?? 0) >= 256) run.push((ids[i++] ?? 0) - 256);
      text +=
        run.length > 0
          ? utf8.decode(Uint8Array.from(run))
          : (PIECES[ids[i++] ?? 0] ?? '').replaceAll('▁', ' ');
    }
    return text.replace(/^ /, '');
  },
};

function stream(decoder: TokenDecoder, ids: readonly number[], contextIds?: readonly number[]): string[] {
  const decoding = new StreamDecoder(decoder, contextIds);
  return [...ids.map((id) => decoding.push(id)), decoding.flush()];
}

const TEXTS = [
  'plain',
  'naïve café',
  '日本語のテキスト',
  '👩‍👩‍👧 🏳️‍🌈 ok',
  'e\u0301a\u0308',
  '\uFEFFbom\uFEFF',
  'नमस्ते 한국어',
];

describe('StreamDecoder', () => {
  it('holds back the bytes of an unfinished character', () => {
    expect(stream(bytes, [0x61, 0xe2, 0x82, 0xac, 0x62])).toEqual(['a', '', '', '€', 'b', '']);
  });

  it.each(TEXTS)('gives back %p byte by byte, with no replacement character on the way', (text) => {
    const pieces = stream(bytes, [...Buffer.from(text)]);
    expect(pieces.join('')).toBe(text);
    expect(pieces.filter((piece) => piece.includes('\uFFFD'))).toEqual([]);
  });

  it('shows invalid bytes as the whole text does, without waiting for ever', () => {
    const invalid = [0x61, ...new Array<number>(100).fill(0xff), 0x62, 0xf0, 0x9f];
    const pieces = stream(bytes, invalid);
    expect(pieces.join('')).toBe(bytes.decode(invalid));
    expect(pieces.slice(0, 40).join('')).toContain('\uFFFD');
  });

  it('keeps a valid character that follows a long run of invalid bytes whole', () => {
    for (let run = 10; run < 40; run++) {
      const ids = [...new Array<number>(run).fill(0x80), ...Buffer.from('😀é')];
      expect(stream(bytes, ids).join('')).toBe(bytes.decode(ids));
    }
  });

  it('agrees with decoding all at once for random pieces, spaces and byte tokens', () => {
    const random = Xoshiro128.fromSeed(4);
    for (let round = 0; round < 300; round++) {
      const ids: number[] = [];
      while (ids.length < 40) {
        const choice = random.nextUint32() % (PIECES.length + 2);
        if (choice < PIECES.length) ids.push(choice);
        else ids.push(...[...Buffer.from(choice === PIECES.length ? '語' : '😀')].map((byte) => byte + 256));
      }
      const pieces = stream(sentencePiece, ids);
      expect(pieces.join('')).toBe(sentencePiece.decode(ids));
      expect(pieces.join('')).not.toContain('\uFFFD');
    }
  });

  it('keeps the space that leads a continuation when it knows the context', () => {
    expect(stream(sentencePiece, [1, 2]).join('')).toBe('ab');
    expect(stream(sentencePiece, [1, 2], [6]).join('')).toBe(' ab');
  });

  it.each([
    ['text', (i: number) => 1 + (i % 2)],
    ['invalid bytes', () => 256 + 0xff],
    ['tokens without text', () => 7],
  ])('decodes a number of tokens linear in the length for %s', (_, id) => {
    let decoded = 0;
    const counting: TokenDecoder = {
      decode(ids) {
        decoded += ids.length;
        return sentencePiece.decode(ids);
      },
    };
    stream(
      counting,
      Array.from({ length: 2000 }, (_, i) => id(i)),
    );
    // At most a window of old and new tokens per push: 2 × 16, decoded up to three times.
    expect(decoded).toBeLessThan(2000 * 32 * 3);
  });
});
