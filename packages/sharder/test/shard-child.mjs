// A process that shards, for tests that kill it, fill its disk or run it twice. Waits for a line on standard input, so that
// its start is not part of the work; then says a dot for every progress event, and what came of it as a line of JSON.
//
//   node shard-child.mjs MODEL BASE FORMAT PAUSE_MS
//
// PAUSE_MS holds it up at every progress event, so that instants spread over the whole of a small job.

import { once } from 'node:events';
import { openCheckpoint } from '@airllm/checkpoint';
import { listWeights, resolveModel } from '@airllm/model-zoo';
import { shardCheckpoint } from '../dist/index.js';

const [model, baseFolder, format, pauseMs] = process.argv.slice(2);
const checkpoint = await openCheckpoint(model);
const weights = listWeights(resolveModel(checkpoint.config));
const clock = new Int32Array(new SharedArrayBuffer(4));

process.stdout.write('ready\n');
await once(process.stdin, 'data');
process.stdin.pause();
try {
  const phases = new Set();
  await shardCheckpoint({
    ...{ checkpoint, weights, baseFolder, format, threads: 1 },
    onProgress: ({ phase }) => {
      phases.add(phase);
      process.stdout.write('.');
      if (Number(pauseMs) > 0) Atomics.wait(clock, 0, 0, Number(pauseMs));
    },
  });
  process.stdout.write(`\n${JSON.stringify({ done: true, phases: [...phases] })}\n`);
} catch (error) {
  process.stdout.write(
    `\n${JSON.stringify({ code: error.code, fields: error.fields, message: error.message })}\n`,
  );
}
