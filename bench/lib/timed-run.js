// One run of a model in a process of its own, timed from the outside in: when the process started, when the first token was
// out, what the tokens after it took. Prints one line of JSON; times are seconds, sizes bytes.
//
//   node lib/timed-run.js '{"folder": …, "host": …, "prompt": 8, "tokens": 8}'
//
// Further fields: `rows` (sequences in the batch, 1), `random` (tokens drawn uniformly, so that experts are routed to
// at random; false), `options` (for AutoModel.fromPretrained).

import { AutoModel } from '@airllm/core';
import { promptIds } from './decode-round.js';
import { readStorageBytes } from './storage-bytes.js';

const request = JSON.parse(process.argv[2] ?? '{}');
const { folder, host, prompt = 8, tokens = 8, rows = 1, random = false, options = {} } = request;
const model = await AutoModel.fromPretrained(folder, { memory: { host }, device: 'cpu', ...options });
const openedAt = performance.now();

const sampling = random ? { temperature: 1e6, topK: 0, topP: 1, seed: 1 } : { temperature: 0 };
const prompts = Array.from({ length: rows }, (_, row) => promptIds(prompt).map((id) => id + row));
const marks = [];
let events = 0;
for await (const { tokenId } of model.stream(
  { inputIds: prompts },
  { maxNewTokens: tokens + 1, ignoreEos: true, ...sampling },
)) {
  events += 1;
  if (events % rows > 0) continue;
  const { bytesRead, residentBytes, decodeIdleSeconds, layers } = model.stats;
  marks.push({
    at: performance.now(),
    bytesRead,
    wastedBytes: layers.reduce((sum, layer) => sum + layer.wastedBytes, 0),
    residentBytes,
    decodeIdleSeconds,
    storageBytes: await readStorageBytes(),
    tokenId,
  });
}
const [first] = marks;
const last = marks.at(-1);
const { plan, stats } = model;
await model[Symbol.asyncDispose]();
console.log(
  JSON.stringify({
    hostBytes: plan.hostBytes,
    pinnedBytes: plan.pinnedBytes,
    openSeconds: openedAt / 1000,
    // performance.now() counts from the start of the process.
    firstTokenSeconds: first.at / 1000,
    tokens: marks.length - 1,
    seconds: (last.at - first.at) / 1000,
    bytesRead: last.bytesRead - first.bytesRead,
    wastedBytes: last.wastedBytes - first.wastedBytes,
    storageBytes: last.storageBytes - first.storageBytes,
    idleSeconds: last.decodeIdleSeconds - first.decodeIdleSeconds,
    tokenIds: marks.map(({ tokenId }) => tokenId),
    residentBytes: Math.max(...marks.map((mark) => mark.residentBytes)),
    bufferedReason: stats.bufferedReason ?? null,
  }),
);
