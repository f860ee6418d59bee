// Bounds on what a tokenizer file may ask for, each a few times what the largest published one does.

import { invalid } from './errors.js';

/** Of one file. Largest known: 17 MB (qwen 3 merges and vocabulary together stay below). */
export const MAX_FILE_BYTES = 64 * 2 ** 20;
/** Largest known: 262,144 (Gemma 3). */
export const MAX_VOCAB_SIZE = 2 ** 20;
/** Largest known: 256 (runs of spaces). */
export const MAX_TOKEN_LENGTH = 2048;
/** Sum of squared token lengths: the cost of trying every split of every token. Largest known: 2^25. */
const MAX_SPLIT_WORK = 2 ** 29;

export function checkFileSize(byteLength: number, fileName: string): void {
  if (byteLength > MAX_FILE_BYTES) {
    throw invalid(`Expected ${fileName} of at most ${MAX_FILE_BYTES} bytes but found ${byteLength}.`);
  }
}

/** Throws before the splits of a vocabulary would take minutes. */
export function checkSplitWork(tokens: Iterable<string>): void {
  let work = 0;
  for (const { length } of tokens) {
    work += length * length;
    if (length > MAX_TOKEN_LENGTH || work > MAX_SPLIT_WORK) {
      throw invalid(
        `Expected tokens of at most ${MAX_TOKEN_LENGTH} characters, short on average, but found one of ${length}.`,
      );
    }
  }
}
