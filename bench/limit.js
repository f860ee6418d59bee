// A dense model larger than memory under a hard limit, budget = limit: how close is decoding to what the disk allows when
// every byte of the limit holds weights?

import { fileURLToPath } from 'node:url';
import { parseBytes } from '@airllm/core';
import { openBenchCheckpoint } from './lib/bench-checkpoint.js';
import { runProgram } from './lib/program.js';
import { progress } from './lib/progress.js';
import { alternateWithRawReads } from './lib/raw-bandwidth.js';
import { runNode } from './lib/run-node.js';
import { median } from './lib/statistics.js';

const TIMED_RUN = fileURLToPath(new URL('./lib/timed-run.js', import.meta.url));
/** Issue 5, row 1. */
const LEAST_RATIO = 0.9;

await runProgram({
  about: 'Streamed decode ÷ (raw bandwidth ÷ (bytes of a token − the whole memory limit))',
  defaults: { preset: '5GB', hosts: '2GiB,4GiB', tokens: 8, rounds: 3 },
  async measure({ preset, hosts, tokens, rounds }) {
    const checkpoint = await openBenchCheckpoint(preset);
    const rows = [];
    for (const host of hosts.split(',')) {
      const runs = await alternateWithRawReads(checkpoint.files, rounds, () =>
        measureUnderLimit(checkpoint, host, tokens),
      );
      rows.push(...describe(`decode, ${preset} in ${host}`, checkpoint.tokenBytes, runs));
    }
    return rows;
  },
});

async function measureUnderLimit({ folder }, host, tokens) {
  const limitBytes = parseBytes(host);
  const request = JSON.stringify({ folder, host, tokens });
  const { result, peakBytes } = await runNode([TIMED_RUN, request], { limitBytes });
  const rate = result.tokens / result.seconds;
  progress(
    `${host}: ${rate.toFixed(3)} tokens/s, ${(result.bytesRead / result.seconds / 1e6).toFixed(0)} MB/s, ` +
      `${(result.bytesRead / result.tokens / 1e6).toFixed(0)} MB per token, resident ${(result.residentBytes / 1e6).toFixed(0)} MB`,
  );
  return { ...result, rate, peakBytes, limitBytes };
}

function describe(name, tokenBytes, runs) {
  const [{ limitBytes, bufferedReason }] = runs;
  const streamed = tokenBytes - limitBytes;
  const limitOf = ({ bandwidth }) => bandwidth / streamed;
  const middle = (figure) => median(runs.map(figure));
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
  return [
    {
      name: bufferedReason === null ? name : `${name} (buffered: ${bufferedReason})`,
      figure: `${middle(({ rate }) => rate).toFixed(3)} tokens/s, ${megabytes(middle((run) => run.bytesRead / run.tokens))} read`,
      limit: `${middle(limitOf).toFixed(3)} tokens/s = ${megabytes(middle((run) => run.bandwidth))}/s ÷ (${megabytes(tokenBytes)} − ${megabytes(limitBytes)})`,
      ratio: middle((run) => run.rate / limitOf(run)),
      atLeast: LEAST_RATIO,
    },
    {
      name: `${name}, peak memory`,
      figure: megabytes(Math.max(...runs.map((run) => run.peakBytes))),
      limit: `${megabytes(limitBytes)} (hard limit, the control group's count)`,
      ratio: Math.max(...runs.map((run) => run.peakBytes)) / limitBytes,
      atMost: 1,
    },
  ];
}
