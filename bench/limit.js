// A dense model larger than memory under a hard limit, budget = limit: how close is decoding to what the disk allows when
// every byte of the limit holds weights?

import { openBenchCheckpoint } from './lib/bench-checkpoint.js';
import { peakRow, rateRow, roundsLimited } from './lib/limited-decode.js';
import { runProgram } from './lib/program.js';

/** Issue 5, row 1. */
const LEAST_RATIO = 0.9;

await runProgram({
  about: 'Streamed decode ÷ (raw bandwidth ÷ (bytes of a token − the whole memory limit))',
  defaults: { preset: '5GB', hosts: '2GiB,4GiB', tokens: 8, rounds: 3 },
  async measure({ preset, hosts, tokens, rounds }) {
    const checkpoint = await openBenchCheckpoint(preset);
    const rows = [];
    for (const host of hosts.split(',')) {
      const runs = await roundsLimited(checkpoint, rounds, { host, tokens });
      const name = `decode, ${preset} in ${host}`;
      rows.push({ ...rateRow(name, checkpoint.tokenBytes, runs), atLeast: LEAST_RATIO }, peakRow(name, runs));
    }
    return rows;
  },
});
