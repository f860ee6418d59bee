// Decodes under a budget in a process of its own, its reads held to a rate if one is given. Prints
// { secondsPerToken, bytesPerToken, weightBytes, pinnedBytes, bufferedReason }.
//
//   node lib/decode-streamed.js FOLDER HOST TOKENS [BYTES_PER_SECOND]

import { decodeRound } from './decode-round.js';
import { openModel } from './open-model.js';
import { holdReadRate } from './read-rate.js';

const [folder, host, tokens, rate] = process.argv.slice(2);
const release = rate === undefined ? undefined : await holdReadRate(folder, Number(rate));
const model = await openModel(folder, host);
try {
  // Reads what stays.
  await decodeRound(model, 1);
  const { seconds, bytesRead } = await decodeRound(model, Number(tokens));
  const { weightBytes, pinnedBytes } = model.plan;
  console.log(
    JSON.stringify({
      secondsPerToken: seconds / Number(tokens),
      bytesPerToken: bytesRead / Number(tokens),
      weightBytes,
      pinnedBytes,
      bufferedReason: model.stats.bufferedReason,
    }),
  );
} finally {
  await model[Symbol.asyncDispose]();
  await release?.();
}
