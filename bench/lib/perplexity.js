// Perplexity of a model on a text: exp of the mean of −log p(next token).

import { AutoModel } from '@airllm/core';

export async function perplexityOf(folder, text) {
  const model = await AutoModel.fromPretrained(folder, { device: 'cpu' });
  try {
    const ids = model.tokenizer.encode(text);
    const { data, shape } = await model.logits(ids);
    const [, vocabSize] = shape;
    let sum = 0;
    for (let i = 0; i + 1 < ids.length; i++) {
      const row = data.subarray(i * vocabSize, (i + 1) * vocabSize);
      const largest = row.reduce((a, b) => Math.max(a, b));
      const total = row.reduce((a, b) => a + Math.exp(b - largest), 0);
      sum += Math.log(total) + largest - row[ids[i + 1]];
    }
    return Math.exp(sum / (ids.length - 1));
  } finally {
    await model[Symbol.asyncDispose]();
  }
}
