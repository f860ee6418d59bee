// Maps made by SentencePiece itself are in packages/core/test/tokenizer-sentencepiece.spec.ts; here is what is no map.

import { compileCharsmap } from './charsmap.js';

/** A trie whose root has no children, and one replacement. */
function emptyMap(): Uint8Array {
  return Uint8Array.of(4, 0, 0, 0, 0, 0, 0, 0, 0x78, 0);
}

it('leaves a text alone that no key matches, a byte order mark and half a surrogate pair included', () => {
  expect(compileCharsmap(emptyMap())('\ufeffa😀')).toBe('\ufeffa😀');
  expect(compileCharsmap(emptyMap())('\ud83d')).toBe('\ufffd');
});

it.each([
  ['nothing', []],
  ['no room for a trie', [4, 0, 0, 0]],
  ['a trie past the end', [255, 255, 255, 127, 0, 0, 0, 0]],
  ['a trie of odd size', [5, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
  ['an empty trie', [0, 0, 0, 0, 0]],
  ['a replacement of 2000 bytes', [4, 0, 0, 0, 0, 0, 0, 0, ...new Array<number>(2000).fill(0x78)]],
])('refuses %s', (_, bytes) => {
  expect(() => compileCharsmap(Uint8Array.from(bytes))).toThrow(
    expect.objectContaining({ code: 'INVALID_TOKENIZER' }),
  );
});

it('ends on a trie of garbage', () => {
  const garbage = Uint8Array.from({ length: 4 + 4096 + 64 }, (_, i) => (i * 197 + 31) % 256);
  garbage.set([0, 16, 0, 0]);
  expect(typeof compileCharsmap(garbage)('The quick brown fox, 你好 😀'.repeat(50))).toBe('string');
});
