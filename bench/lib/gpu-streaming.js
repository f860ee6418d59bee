// Decoding with weights on their way to a GPU: each token waits for the disk or for the bus, whichever takes longer.

import { AutoModel } from '@airllm/core';
import { decodeRound } from './decode-round.js';
import { alternateWithRawReads } from './raw-bandwidth.js';
import { median } from './statistics.js';

const LEAST = 0.9;

/** A row: tokens/s ÷ the least of what disk and bus allow, for weights that `memory` (host, device) leaves to them. */
export async function streamingRow(checkpoint, { device, memory, tokens, rounds, busBytesPerSecond }) {
  const model = await AutoModel.fromPretrained(checkpoint.folder, { device, memory });
  try {
    // Reads what stays.
    await decodeRound(model, 1);
    const onDevice = model.plan.device?.pinnedBytes ?? 0;
    const crossing = checkpoint.tokenBytes - onDevice;
    const results = await alternateWithRawReads(checkpoint.files, rounds, () => decodeRound(model, tokens));
    const figures = results.map(({ bandwidth, seconds, bytesRead }) => ({
      rate: tokens / seconds,
      limit: Math.min((bandwidth * tokens) / Math.max(bytesRead, 1), busBytesPerSecond / crossing),
      read: bytesRead / tokens,
    }));
    const middle = (pick) => median(figures.map(pick));
    const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
    return {
      name: `decode within host ${memory.host}, device ${memory.device ?? 'auto'}`,
      figure: `${middle(({ rate }) => rate).toFixed(2)} tokens/s, ${megabytes(middle(({ read }) => read))} read, ${megabytes(crossing)} over the bus`,
      limit: `${middle(({ limit }) => limit).toFixed(2)} tokens/s`,
      ratio: middle(({ rate, limit }) => rate / limit),
      atLeast: LEAST,
    };
  } finally {
    await model[Symbol.asyncDispose]();
  }
}
