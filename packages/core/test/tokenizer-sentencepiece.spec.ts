// Small SentencePiece models of every kind against SentencePiece itself: both algorithms, byte fallback,
// user-defined pieces, prefix space, removed spaces, character maps.

import { readFileSync } from 'node:fs';
import { openTokenizer } from './tokenizer-sources.js';

interface SmallModel {
  name: string;
  model: string;
  /** `decoded` is null for texts with unknown characters, which everyone shows differently. */
  cases: { text: string; ids: number[]; decoded: string | null }[];
}

const models = JSON.parse(
  readFileSync(new URL('tokenizer-fixtures/models.json', import.meta.url), 'utf8'),
) as SmallModel[];

describe.each(models)('$name', ({ model, cases }) => {
  it('gives the ids and the texts of SentencePiece', async () => {
    const tokenizer = await openTokenizer('small', { 'tokenizer.model': Buffer.from(model, 'base64') });
    for (const { text, ids, decoded } of cases) {
      const options = { addSpecialTokens: false };
      expect({ text, ids: tokenizer.encode(text, options) }).toEqual({ text, ids });
      if (decoded === null) continue;
      expect({ text, decoded: tokenizer.decode(ids, { skipSpecialTokens: false }) }).toEqual({
        text,
        decoded,
      });
    }
  });
});
