// A budget is a promise: the process as a whole, as the operating system counts it, stays under memory.host.

import { fileURLToPath } from 'node:url';
import { openBenchCheckpoint } from './lib/bench-checkpoint.js';
import { runProgram } from './lib/program.js';
import { runNode } from './lib/run-node.js';

const CHILD = fileURLToPath(new URL('./lib/generate-under-budget.js', import.meta.url));

await runProgram({
  about: 'Peak resident memory ÷ budget',
  defaults: { preset: '2GB', host: '600MB', prompt: 64, tokens: 16 },
  async measure({ preset, host, prompt, tokens }) {
    // Linux lets a process inherit the peak of the one that started it, so nothing large is loaded here.
    const { folder, weightBytes } = await openBenchCheckpoint(preset);
    const { exitCode, result } = await runNode([CHILD, folder, host, String(prompt), String(tokens)]);
    if (exitCode !== 0 || result.tokens !== tokens) {
      throw new Error(`Expected ${tokens} tokens but the run ended with ${exitCode} after ${result.tokens}`);
    }
    const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
    return [
      {
        name: `peak RSS, ${megabytes(weightBytes)} of weights, ${prompt} + ${tokens} tokens`,
        figure: megabytes(result.peakBytes),
        limit: `${megabytes(result.hostBytes)} (memory.host)`,
        ratio: result.peakBytes / result.hostBytes,
        atMost: 1,
      },
    ];
  },
});
