// Opens a model through the public API as benchmarks need it: on the native backend or not at all.

import { AutoModel } from '@airllm/core';

/** `host` is what `memory.host` takes; `options` are further ones of AutoModel.fromPretrained. */
export function openModel(folder, host, options = {}) {
  return AutoModel.fromPretrained(folder, { memory: { host }, device: 'cpu', ...options });
}

/** Opens a model with all of its weights in memory. */
export async function openResidentModel({ folder, weightBytes }, options) {
  const model = await openModel(folder, weightBytes + ROOM_BYTES + process.memoryUsage.rss(), options);
  const { streamedBytesPerPass } = model.plan;
  if (streamedBytesPerPass === 0) return model;
  await model[Symbol.asyncDispose]();
  throw new Error(`Expected every weight to be pinned but ${streamedBytesPerPass} bytes would be streamed`);
}

/** For what the process takes from here on, the KV cache and activations. */
const ROOM_BYTES = 1.5e9;
