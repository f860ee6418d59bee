// One timed stretch of greedy decoding: the clock starts when the first token is out, so the prompt is not in it.

/** Resolves to { tokens, seconds, bytesRead } of `tokens` decode passes. */
export async function decodeRound(model, tokens) {
  let start;
  let end;
  const options = { maxNewTokens: tokens + 1, ignoreEos: true, temperature: 0 };
  for await (const { tokenId } of model.stream({ inputIds: promptIds(8) }, options)) {
    end = { at: performance.now(), bytesRead: model.stats.bytesRead, tokenId };
    start ??= end;
  }
  return { tokens, seconds: (end.at - start.at) / 1000, bytesRead: end.bytesRead - start.bytesRead };
}

/** A prompt of `length` ids that every vocabulary has. */
export function promptIds(length) {
  return Array.from({ length }, (_, i) => 3 + ((i * 7919) % 1000));
}
