// tiktoken rank files: one token per line, base64 and its rank. Ranks are both ids and merge priorities.

import { BYTE_ALPHABET } from './byte-alphabet.js';
import { invalid } from './errors.js';
import { linesOf } from './lines.js';
import { checkFileSize, MAX_TOKEN_LENGTH, MAX_VOCAB_SIZE } from './limits.js';

const LINE = /^([A-Za-z0-9+/]+={0,2}) (\d{1,8})$/;
const MAX_LINE_LENGTH = 4 * Math.ceil(MAX_TOKEN_LENGTH / 3) + 10;

/** True for the content of a rank file, whatever its name: Llama-3 calls its `tokenizer.model`. */
export function isTiktoken(bytes: Uint8Array): boolean {
  const head = Buffer.from(bytes.subarray(0, MAX_LINE_LENGTH)).toString('latin1');
  const [line = ''] = head.split(/\r?\n/, 1);
  return LINE.test(line);
}

/**
 * Ids of tokens, each token written in the byte-level alphabet, ascending.
 *
 * @throws TokenizerFormatError `INVALID_TOKENIZER` for lines that are none, tokens or ranks that come twice, and
 * single bytes that are missing (a text with them could not be written)
 */
export function parseTiktoken(bytes: Uint8Array): Map<string, number> {
  checkFileSize(bytes.length, 'the tiktoken file');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const tokens: string[] = [];
  let lineNumber = 0;
  for (const line of linesOf(text, 'the tiktoken file')) {
    const where = `line ${++lineNumber} of the tiktoken file`;
    if (line === '') continue;
    const [, base64, digits] = line.length <= MAX_LINE_LENGTH ? (LINE.exec(line) ?? []) : [];
    if (base64 === undefined) throw invalid(`Expected a base64 token and its rank in ${where}.`);
    const rank = Number(digits);
    if (rank >= MAX_VOCAB_SIZE || tokens[rank] !== undefined) {
      throw invalid(`Expected a rank below ${MAX_VOCAB_SIZE} that comes once in ${where} but found ${rank}.`);
    }
    tokens[rank] = toAlphabet(Buffer.from(base64, 'base64'));
  }
  const ranks = new Map<string, number>();
  tokens.forEach((token, rank) => {
    if (token === '' || ranks.has(token))
      throw invalid(`Expected rank ${rank} of the tiktoken file to be a token of its own.`);
    ranks.set(token, rank);
  });
  if (!BYTE_ALPHABET.every((byte) => ranks.has(byte))) {
    throw invalid('Expected a rank for each of the 256 bytes in the tiktoken file.');
  }
  return ranks;
}

function toAlphabet(bytes: Uint8Array): string {
  let token = '';
  for (const byte of bytes) token += BYTE_ALPHABET[byte];
  return token;
}
