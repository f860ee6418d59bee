// The largest of the scores of one position, and the refusal of scores that are no numbers.

import { GenerateError } from '../errors.js';

/**
 * The token of greedy decoding: the largest score, the lowest id among equals.
 *
 * @param scores `[vocabSize]`; `-Infinity` marks a banned token
 * @throws {@link GenerateError} `NON_FINITE_LOGITS` on NaN or +Infinity, or when every token is banned
 */
export function bestToken(scores: Float32Array): { tokenId: number; score: number } {
  let tokenId = -1;
  let best = -Infinity;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] ?? NaN;
    if (score > best) {
      best = score;
      tokenId = i;
    } else if (Number.isNaN(score)) {
      throw nonFinite(i, score);
    }
  }
  if (tokenId === -1 || best === Infinity) throw nonFinite(tokenId, best);
  return { tokenId, score: best };
}

function nonFinite(tokenId: number, value: number): GenerateError {
  const found = tokenId === -1 ? 'no finite logit at all' : `${value} for token ${tokenId}`;
  return new GenerateError(
    'NON_FINITE_LOGITS',
    `Expected finite logits but found ${found}. The weights may be damaged or overflow their dtype; ` +
      'verify the checkpoint files, and any logitBias.',
    { fields: { tokenId, value } },
  );
}
