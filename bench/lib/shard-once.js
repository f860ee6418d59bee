// Shards a checkpoint in a process of its own. Prints { seconds, peakBytes }: from the open model to the manifest on the
// disk, and what the operating system says the process held at its peak.
//
//   node lib/shard-once.js MODEL TARGET FORMAT

import { shardModel } from '@airllm/core';
import { readPeakBytes } from './peak-bytes.js';

const [model, baseFolder, format] = process.argv.slice(2);
const started = performance.now();
await shardModel(model, { format, baseFolder });
const seconds = (performance.now() - started) / 1000;
console.log(JSON.stringify({ seconds, peakBytes: await readPeakBytes() }));
