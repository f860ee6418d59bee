// Nothing is prepared: from the start of the process to the first token a checkpoint is read once, and that should be all.

import { openBenchCheckpoint } from './lib/bench-checkpoint.js';
import { roundsLimited } from './lib/limited-decode.js';
import { megabytes } from './lib/megabytes.js';
import { runProgram } from './lib/program.js';
import { median } from './lib/statistics.js';

/** Issue 5, row 9. */
const MOST_RATIO = 1.3;

await runProgram({
  about: 'Start of the process to the first token ÷ (bytes of the checkpoint ÷ raw bandwidth)',
  defaults: { preset: '5GB', host: '2GiB', rounds: 3 },
  async measure({ preset, host, rounds }) {
    const checkpoint = await openBenchCheckpoint(preset);
    const runs = await roundsLimited(checkpoint, rounds, { host, tokens: 1 });
    const middle = (figure) => median(runs.map(figure));
    const limitOf = ({ bandwidth }) => checkpoint.weightBytes / bandwidth;
    return [
      {
        name: `first token, ${preset} in ${host}`,
        figure: `${middle((run) => run.firstTokenSeconds).toFixed(2)} s, of which ${middle((run) => run.openSeconds).toFixed(2)} s until the model is open`,
        limit: `${middle(limitOf).toFixed(2)} s = ${megabytes(checkpoint.weightBytes)} ÷ ${megabytes(middle((run) => run.bandwidth))}/s`,
        ratio: middle((run) => run.firstTokenSeconds / limitOf(run)),
        atMost: MOST_RATIO,
      },
    ];
  },
});
