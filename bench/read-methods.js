// The ways to read, side by side: io_uring, threads of our own, and a plain loop over node:fs, which shares nothing with them.
// Whole files past the page cache, in turn, each in a process of its own.

import { openBenchCheckpoint } from './lib/bench-checkpoint.js';
import { megabytes } from './lib/megabytes.js';
import { runProgram } from './lib/program.js';
import { rawRead } from './lib/raw-bandwidth.js';
import { median } from './lib/statistics.js';

const METHODS = ['io_uring', 'threads', 'fs'];

await runProgram({
  about: 'Direct reads by each method ÷ the fastest of the round; processor time per GB beside it',
  defaults: { preset: '5GB', rounds: 5 },
  async measure({ preset, rounds }) {
    const { files } = await openBenchCheckpoint(preset);
    const runs = [];
    for (let round = 0; round < rounds; round++) {
      const results = {};
      for (const method of METHODS) results[method] = await rawRead(method, files);
      runs.push(results);
    }
    return METHODS.map((method) => {
      const fastest = (run) => Math.max(...METHODS.map((name) => run[name].bytesPerSecond));
      const middle = (figure) => median(runs.map(figure));
      const cpu = middle((run) => run[method].cpuSeconds / (run[method].bytes / 1e9));
      return {
        name: method,
        figure: `${megabytes(middle((run) => run[method].bytesPerSecond))}/s, ${(cpu * 1000).toFixed(0)} ms of processor per GB`,
        limit: `${megabytes(middle(fastest))}/s`,
        ratio: middle((run) => run[method].bytesPerSecond / fastest(run)),
      };
    });
  },
});
