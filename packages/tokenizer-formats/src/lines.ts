// Lines of a text, one at a time.

import { invalid } from './errors.js';
import { MAX_VOCAB_SIZE } from './limits.js';

/** More than any vocabulary has merges. */
const MAX_LINES = 4 * MAX_VOCAB_SIZE;

/** Line breaks are \n or \r\n. Splitting at once would need hundreds of megabytes for a file of line breaks. */
export function* linesOf(text: string, fileName: string): Generator<string> {
  let start = 0;
  for (let count = 0; start < text.length; count++) {
    if (count === MAX_LINES) throw invalid(`Expected at most ${MAX_LINES} lines in ${fileName}.`);
    const end = text.indexOf('\n', start);
    const stop = end < 0 ? text.length : end;
    yield text.slice(start, stop > start && text[stop - 1] === '\r' ? stop - 1 : stop);
    start = stop + 1;
  }
}
