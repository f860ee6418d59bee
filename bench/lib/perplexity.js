// Perplexity of a model on a text: exp of the mean of −log p(next token), in windows that do not overlap.

import { AutoModel } from '@airllm/core';

/** Tokens of a window; small trained models know no more positions. */
const WINDOW = 256;

export async function perplexityOf(folder, text) {
  const model = await AutoModel.fromPretrained(folder, { device: 'cpu' });
  try {
    const [first, ...ids] = model.tokenizer.encode(text);
    let sum = 0;
    for (let start = 0; start < ids.length; start += WINDOW)
      // Every window begins with the token that begins the text.
      sum += await surprise(model, [first, ...ids.slice(start, start + WINDOW)]);
    return { perplexity: Math.exp(sum / ids.length), tokens: ids.length };
  } finally {
    await model[Symbol.asyncDispose]();
  }
}

/** Sum of −log p over all tokens but the first. */
async function surprise(model, ids) {
  const { data, shape } = await model.logits(ids);
  const [, vocabSize] = shape;
  let sum = 0;
  for (let i = 0; i + 1 < ids.length; i++) {
    const row = data.subarray(i * vocabSize, (i + 1) * vocabSize);
    const largest = row.reduce((a, b) => Math.max(a, b));
    const total = row.reduce((a, b) => a + Math.exp(b - largest), 0);
    sum += Math.log(total) + largest - row[ids[i + 1]];
  }
  return sum;
}
