// Rows of a batch share what is read: what does a decode pass with many rows cost beside one with a single row, streaming?

import { openBenchCheckpoint } from './lib/bench-checkpoint.js';
import { runLimited } from './lib/limited-decode.js';
import { runProgram } from './lib/program.js';
import { median } from './lib/statistics.js';

/** Issue 5, row 4. */
const MOST_RATIO = 1.25;

await runProgram({
  about: 'Seconds of a streamed decode pass with many rows ÷ with one',
  defaults: { preset: '5GB', host: '2GiB', rows: 32, tokens: 4, rounds: 3 },
  async measure({ preset, host, rows, tokens, rounds }) {
    const checkpoint = await openBenchCheckpoint(preset);
    const pairs = [];
    for (let round = 0; round < rounds; round++) {
      const one = await runLimited(checkpoint, { host, tokens });
      const many = await runLimited(checkpoint, { host, tokens, rows });
      pairs.push({ one: 1 / one.rate, many: 1 / many.rate });
    }
    return [
      {
        name: `decode pass, ${preset} in ${host}, ${rows} rows ÷ 1 row`,
        figure: `${median(pairs.map(({ many }) => many)).toFixed(3)} s`,
        limit: `${median(pairs.map(({ one }) => one)).toFixed(3)} s with 1 row`,
        ratio: median(pairs.map(({ one, many }) => many / one)),
        atMost: MOST_RATIO,
      },
    ];
  },
});
