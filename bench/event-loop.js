// The JavaScript thread decides and never computes: how late do its timers fire while a large model generates?

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { openBenchCheckpoint } from './lib/bench-checkpoint.js';
import { promptIds } from './lib/decode-round.js';
import { openModel, openResidentModel } from './lib/open-model.js';
import { runProgram } from './lib/program.js';

/** Issue 2, row 7. */
const MOST_P99_MS = 20;
const RESOLUTION_MS = 1;
const IDLE_MS = 2000;

await runProgram({
  about: `Event loop delay while generating (timer period of ${RESOLUTION_MS} ms included in every figure)`,
  defaults: { preset: '2GB', host: '600MB', prompt: 32, tokens: 16 },
  async measure({ preset, host, prompt, tokens }) {
    const checkpoint = await openBenchCheckpoint(preset);
    const idle = await delaysDuring(() => sleep(IDLE_MS));
    // A model reads its weights in its first run, so that run is measured apart.
    const cases = [
      { open: () => openResidentModel(checkpoint), names: ['resident, loading', 'resident'] },
      { open: () => openModel(checkpoint.folder, host), names: [`streamed in ${host}`] },
    ];
    const rows = [];
    for (const { open, names } of cases) {
      const model = await open();
      const generate = () =>
        model.generate(
          { inputIds: promptIds(prompt) },
          { maxNewTokens: tokens, ignoreEos: true, temperature: 0 },
        );
      try {
        for (const name of names) {
          const delays = await delaysDuring(generate);
          rows.push({
            name: `event loop, ${preset} ${name}`,
            figure: describe(delays),
            limit: `p99 of ${MOST_P99_MS} ms; idle: ${describe(idle)}`,
            ratio: delays.p99 / MOST_P99_MS,
            atMost: 1,
          });
        }
      } finally {
        await model[Symbol.asyncDispose]();
      }
    }
    return rows;
  },
});

/** Percentiles of the time between two firings of a timer, in milliseconds. */
async function delaysDuring(work) {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  await work();
  histogram.disable();
  const milliseconds = (percentile) => histogram.percentile(percentile) / 1e6;
  return { p50: milliseconds(50), p99: milliseconds(99), max: histogram.max / 1e6 };
}

function describe({ p50, p99, max }) {
  return `p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, max ${max.toFixed(1)} ms`;
}
