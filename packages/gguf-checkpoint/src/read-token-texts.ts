// The texts of the vocabulary, read from the bytes once more: the parser decodes strings without a leading U+FEFF,
// which in SentencePiece vocabularies is a token of its own and the start of others.

import { GgufError } from './gguf-error.js';

export const TOKENS_KEY = 'tokenizer.ggml.tokens';
/** Ids of value types. Source: ggml-org/ggml, docs/gguf.md. */
const STRING = 8;
const ARRAY = 9;

/**
 * @param header of the file, up to the end of the tensor table
 * @param options.count entries of the list, as the parser found it
 * @throws GgufError `INVALID_HEADER` when the list is not there, or looks to be there twice
 */
export function readTokenTexts(
  header: Uint8Array<ArrayBuffer>,
  { count, path }: { count: number; path: string },
): string[] {
  const bytes = Buffer.from(header.buffer, header.byteOffset, header.byteLength);
  const start = listStart(count);
  const found = bytes.indexOf(start);
  const broken = (): GgufError =>
    new GgufError('INVALID_HEADER', `Expected one list ${TOKENS_KEY} of strings in ${path}.`, {
      fields: { path },
    });
  if (found < 0 || bytes.indexOf(start, found + 1) >= 0) throw broken();
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let offset = found + start.length;
  return Array.from({ length: count }, () => {
    if (offset + 8 > bytes.length) throw broken();
    const length = Number(bytes.readBigUInt64LE(offset));
    offset += 8;
    if (offset + length > bytes.length) throw broken();
    const text = decoder.decode(bytes.subarray(offset, offset + length));
    offset += length;
    return text;
  });
}

/** The key, and the type and length of its value. */
function listStart(count: number): Buffer {
  const start = Buffer.alloc(8 + TOKENS_KEY.length + 4 + 4 + 8);
  start.writeBigUInt64LE(BigInt(TOKENS_KEY.length), 0);
  let offset = 8 + start.write(TOKENS_KEY, 8, 'latin1');
  offset = start.writeUInt32LE(ARRAY, offset);
  offset = start.writeUInt32LE(STRING, offset);
  start.writeBigUInt64LE(BigInt(count), offset);
  return start;
}
