// A mixture of experts larger than memory under a hard limit, routed to at random, which is the worst that a cache of experts
// can meet: what does a token take beyond reading the experts that were not in the cache?

import { openBenchCheckpoint } from './lib/bench-checkpoint.js';
import { peakRow, roundsLimited } from './lib/limited-decode.js';
import { megabytes } from './lib/megabytes.js';
import { runProgram } from './lib/program.js';
import { median } from './lib/statistics.js';

/** Issue 5, row 7. */
const MOST_RATIO = 1.2;

await runProgram({
  about: 'Decoding with random tokens ÷ (bytes read ÷ raw bandwidth), mixture of experts',
  defaults: { preset: 'mixtral-apart-6GB', host: '2GiB', tokens: 24, rounds: 3 },
  async measure({ preset, host, tokens, rounds }) {
    const checkpoint = await openBenchCheckpoint(preset);
    const runs = await roundsLimited(checkpoint, rounds, {
      host,
      tokens,
      random: true,
      // Every run begins with an empty cache.
      options: { rememberExperts: false },
    });
    const middle = (figure) => median(runs.map(figure));
    // What was read on a wrong preview was not missed.
    const missedBytes = (run) => (run.bytesRead - run.wastedBytes) / run.tokens;
    const name = `decode, ${preset} in ${host}, random tokens`;
    return [
      {
        name,
        figure: `${middle((run) => run.seconds / run.tokens).toFixed(3)} s/token, ${megabytes(middle((run) => run.bytesRead / run.tokens))} read, of which ${megabytes(middle((run) => run.wastedBytes / run.tokens))} in vain`,
        limit: `${middle((run) => missedBytes(run) / run.bandwidth).toFixed(3)} s/token at ${megabytes(middle((run) => run.bandwidth))}/s`,
        ratio: middle((run) => ((run.seconds / run.tokens) * run.bandwidth) / missedBytes(run)),
        atMost: MOST_RATIO,
      },
      peakRow(name, runs),
    ];
  },
});
