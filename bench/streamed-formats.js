// Fewer bytes per weight, sooner the next token: the same model, larger than its budget, in bf16 and in the formats that
// shards have, decoded in turn. `lossless` with the reads held to the rate of a slower disk.

import { fileURLToPath } from 'node:url';
import { openBenchCheckpoint } from './lib/bench-checkpoint.js';
import { openCompressed } from './lib/compressed-checkpoint.js';
import { dropCaches } from './lib/drop-caches.js';
import { progress } from './lib/progress.js';
import { runProgram } from './lib/program.js';
import { holdReadRate } from './lib/read-rate.js';
import { runNode } from './lib/run-node.js';
import { median } from './lib/statistics.js';

const DECODE = fileURLToPath(new URL('./lib/decode-streamed.js', import.meta.url));

await runProgram({
  about: 'Streamed decode, model larger than the budget: s/token in bf16 ÷ s/token in other formats',
  defaults: { preset: '3GB', host: '600MB', tokens: 3, rounds: 3, rate: 500e6 },
  async measure({ preset, host, tokens, rounds, rate }) {
    const { folder } = await openBenchCheckpoint(preset);
    const folders = { bf16: folder };
    for (const format of ['4bit', '8bit', 'lossless']) folders[format] = await openCompressed(folder, format);
    const runs = [
      { format: '4bit', atLeast: 3.2 },
      { format: '8bit', atLeast: 1.85 },
      { format: 'lossless' },
      { format: 'lossless', rate, atLeast: 1.25 },
    ].map((run) => ({ ...run, rounds: [] }));
    const reason = await whyRateCannotBeHeld(folder, rate);
    const measurable = runs.filter((run) => run.rate === undefined || reason === undefined);
    // Not measured: disks are slower with files that were written a moment ago, and these may have been.
    for (const written of Object.values(folders)) await decode({ folder: written, host, tokens });
    for (let round = 0; round < rounds; round++) {
      const baselines = new Map();
      for (const run of measurable) {
        const common = { host, tokens, rate: run.rate };
        if (!baselines.has(run.rate))
          baselines.set(run.rate, await decode({ folder: folders.bf16, ...common }));
        const bf16 = baselines.get(run.rate);
        const result = await decode({ folder: folders[run.format], ...common });
        run.rounds.push({ bf16, result });
        progress(`${nameOf(run)}: ${(bf16.secondsPerToken / result.secondsPerToken).toFixed(3)}`);
      }
    }
    return runs.map((run) =>
      run.rounds.length > 0
        ? describe(run, { preset, host })
        : { name: nameOf(run), figure: 'not measured', limit: reason },
    );
  },
});

/** Undefined where it can. */
async function whyRateCannotBeHeld(folder, rate) {
  try {
    const release = await holdReadRate(folder, rate);
    await release();
    return undefined;
  } catch (error) {
    return `no limit on reads here: ${error.message}`;
  }
}

async function decode({ folder, host, tokens, rate }) {
  await dropCaches();
  const args = [DECODE, folder, host, String(tokens), ...(rate === undefined ? [] : [String(rate)])];
  const { result } = await runNode(args);
  if (result.bytesPerToken === 0)
    throw new Error(`Expected ${folder} to be larger than ${host} but all of it was pinned`);
  return result;
}

function nameOf({ format, rate }) {
  return rate === undefined ? format : `${format}, reads held to ${rate / 1e6} MB/s`;
}

function describe(run, { preset, host }) {
  const { rounds, atLeast } = run;
  const [{ result, bf16 }] = rounds;
  const middle = (of) => median(rounds.map(of));
  const speed = (of) => middle((round) => of(round).bytesPerToken / of(round).secondsPerToken / 1e6);
  return {
    name: `${nameOf(run)}, ${preset} in ${host}`,
    figure: `${middle(({ result: { secondsPerToken } }) => secondsPerToken).toFixed(3)} s/token, ${(result.bytesPerToken / 1e6).toFixed(0)} of ${(result.weightBytes / 1e6).toFixed(0)} MB read at ${speed(({ result: own }) => own).toFixed(0)} MB/s`,
    limit: `bf16 ${middle(({ bf16: { secondsPerToken } }) => secondsPerToken).toFixed(3)} s/token, ${(bf16.bytesPerToken / 1e6).toFixed(0)} MB at ${speed(({ bf16: own }) => own).toFixed(0)} MB/s`,
    ratio: middle((round) => round.bf16.secondsPerToken / round.result.secondsPerToken),
    ...(atLeast === undefined ? {} : { atLeast }),
  };
}
