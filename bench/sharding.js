// Sharding a checkpoint ÷ a plain copy of its files: both read everything from the disk, and the copy writes all of it
// back. Each run is a process of its own, from a cold page cache, to the disk and not to memory.

import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openBenchCheckpoint } from './lib/bench-checkpoint.js';
import { dropCaches } from './lib/drop-caches.js';
import { progress } from './lib/progress.js';
import { runProgram } from './lib/program.js';
import { runNode } from './lib/run-node.js';
import { median } from './lib/statistics.js';

const COPY = fileURLToPath(new URL('./lib/plain-copy.js', import.meta.url));
const SHARD = fileURLToPath(new URL('./lib/shard-once.js', import.meta.url));
/** Wall time ÷ that of the copy. */
const MOST = { none: 1.15, '4bit': 1.5, '8bit': 1.5, lossless: 2.5 };
const MOST_BYTES = 256 * 2 ** 20;

await runProgram({
  about: 'Sharding ÷ a plain copy of the same files (direct reads and writes, synced)',
  defaults: { preset: '5GB', formats: 'none,4bit,8bit,lossless', rounds: 3 },
  async measure({ preset, formats, rounds }) {
    const { folder, files, weightBytes } = await openBenchCheckpoint(preset);
    const target = join(folder, '..', 'sharding');
    const rows = [];
    let peakBytes = 0;
    for (const format of formats.split(',')) {
      const times = [];
      for (let round = 0; round < rounds; round++) {
        const copy = await timed([COPY, target, ...files], target);
        const shards = await timed([SHARD, folder, target, format], target);
        peakBytes = Math.max(peakBytes, shards.peakBytes);
        times.push({ copy: copy.seconds, shards: shards.seconds });
        progress(`${format}: ${shards.seconds.toFixed(1)} s, copy ${copy.seconds.toFixed(1)} s`);
      }
      rows.push({
        name: `${format}, ${(weightBytes / 1e9).toFixed(1)} GB`,
        figure: `${median(times.map(({ shards }) => shards)).toFixed(1)} s`,
        limit: `${median(times.map(({ copy }) => copy)).toFixed(1)} s`,
        ratio: median(times.map(({ shards, copy }) => shards / copy)),
        atMost: MOST[format],
      });
    }
    rows.push({
      name: 'peak RSS',
      figure: `${Math.round(peakBytes / 2 ** 20)} MiB`,
      limit: `${MOST_BYTES / 2 ** 20} MiB`,
      ratio: peakBytes / MOST_BYTES,
      atMost: 1,
    });
    return rows;
  },
});

/** Runs a script that writes into `target`, which is empty before and gone after. */
async function timed(args, target) {
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  await dropCaches();
  const { result } = await runNode(args);
  if ((await readdir(target)).length === 0) throw new Error(`Expected ${args[0]} to write into ${target}`);
  await rm(target, { recursive: true });
  return result;
}
