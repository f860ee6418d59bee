// The character map of a SentencePiece model (nmt_nfkc and the like), which tokenizer.json keeps as
// `precompiled_charsmap`: a double-array trie over UTF-8 bytes and the replacements it points to. Layout:
// google/sentencepiece src/normalizer.cc; units of the trie: s-yata/darts-clone.

import { invalid } from './errors.js';

/** Largest known: 33 (the ligature U+FDFA). */
const MAX_REPLACEMENT_BYTES = 1024;

/**
 * The normalization a map describes: at every place the longest match is replaced, a character without one stays.
 *
 * @throws TokenizerFormatError `INVALID_TOKENIZER` when the sizes in the map do not fit its length
 */
export function compileCharsmap(map: Uint8Array): (text: string) => string {
  const view = new DataView(map.buffer, map.byteOffset, map.byteLength);
  const trieBytes = map.length >= 4 ? view.getUint32(0, true) : -1;
  if (trieBytes < 4 || trieBytes % 4 !== 0 || 4 + trieBytes >= map.length) {
    throw invalid(`Expected a trie and its replacements in a charsmap of ${map.length} bytes.`);
  }
  const trie = Uint32Array.from({ length: trieBytes / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const replacements = map.subarray(4 + trieBytes);
  checkReplacements(replacements);
  const encoder = new TextEncoder();
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  const replacementAt = (offset: number): Uint8Array => {
    const end = replacements.indexOf(0, offset);
    return replacements.subarray(offset, end < 0 ? replacements.length : end);
  };
  return (text) => {
    const bytes = encoder.encode(text);
    const parts: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const match = longestMatch(trie, bytes, at);
      parts.push(
        match ? replacementAt(match.value) : bytes.subarray(at, at + characterBytes(bytes[at] ?? 0)),
      );
      at += match ? match.length : characterBytes(bytes[at] ?? 0);
    }
    return decoder.decode(Buffer.concat(parts));
  };
}

/** One long replacement and many matches would make gigabytes of a short text. */
function checkReplacements(replacements: Uint8Array): void {
  for (let start = 0; start < replacements.length;) {
    const zero = replacements.indexOf(0, start);
    const end = zero < 0 ? replacements.length : zero;
    if (end - start > MAX_REPLACEMENT_BYTES) {
      throw invalid(
        `Expected replacements of at most ${MAX_REPLACEMENT_BYTES} bytes in a charsmap but found ${end - start}.`,
      );
    }
    start = end + 1;
  }
}

/** The last key of the trie that `bytes` holds at `start`. */
function longestMatch(
  trie: Uint32Array,
  bytes: Uint8Array,
  start: number,
): { value: number; length: number } | undefined {
  let found: { value: number; length: number } | undefined;
  let node = childOffset(trie[0] ?? 0);
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === 0) break;
    node ^= byte;
    const unit = trie[node] ?? 0;
    // Bit 31 marks a value; a label never has it.
    if ((unit & 0x800000ff) >>> 0 !== byte) break;
    node ^= childOffset(unit);
    if ((unit >>> 8) & 1) found = { value: (trie[node] ?? 0) & 0x7fffffff, length: at - start + 1 };
  }
  return found;
}

function childOffset(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}

function characterBytes(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}
