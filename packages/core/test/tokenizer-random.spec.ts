// Random texts (many scripts, emoji, odd spaces, control characters) on published vocabularies, against
// SentencePiece, tiktoken and the Rust tokenizers: tokenizer-fixtures/generate.py.

import { readFileSync } from 'node:fs';
import { openSharedTokenizer, sharedTokenizer, type SharedTokenizerName } from './tokenizer-sources.js';

interface Expected {
  ids: number[][];
  /** By number of the text, where decoding does not give the text itself. */
  decoded: Record<number, string>;
}

const { texts, expected } = JSON.parse(
  readFileSync(new URL('tokenizer-fixtures/random.json', import.meta.url), 'utf8'),
) as { texts: string[]; expected: Record<SharedTokenizerName, Expected> };

describe.each(Object.entries(expected))('%s', (name, { ids, decoded }) => {
  const { files, present } = sharedTokenizer(name as SharedTokenizerName);
  if (!present)
    console.warn(`random texts: ${name} skipped, ${Object.keys(files).join(', ')} not in the shared data`);
  (present ? it : it.skip)('encodes and decodes as the reference does', async () => {
    const tokenizer = await openSharedTokenizer(name as SharedTokenizerName);
    texts.forEach((text, i) => {
      expect({ text, ids: tokenizer.encode(text, { addSpecialTokens: false }) }).toEqual({
        text,
        ids: ids[i],
      });
      const back = tokenizer.decode(ids[i] ?? [], { skipSpecialTokens: false });
      expect(back).toBe(decoded[i] ?? text);
    });
  });
});
