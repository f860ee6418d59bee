// Decoding in a process of its own under a hard memory limit, budget = limit, beside the disk's own speed: what several
// programs measure, each on its own checkpoint.

import { fileURLToPath } from 'node:url';
import { parseBytes } from '@airllm/core';
import { megabytes } from './megabytes.js';
import { progress } from './progress.js';
import { alternateWithRawReads } from './raw-bandwidth.js';
import { runNode } from './run-node.js';
import { median } from './statistics.js';

const TIMED_RUN = fileURLToPath(new URL('./timed-run.js', import.meta.url));

/**
 * One run; `request` is what timed-run.js takes, without `folder`. Resolves to what it printed, with `rate` (passes per second
 * after the first token), `peakBytes` by the control group's count, and `limitBytes`.
 */
export async function runLimited({ folder }, request) {
  const limitBytes = parseBytes(request.host);
  const { result, peakBytes } = await runNode([TIMED_RUN, JSON.stringify({ folder, ...request })], {
    limitBytes,
  });
  const rate = result.tokens / result.seconds;
  progress(
    `${request.host}: ${rate.toFixed(3)} passes/s, ${megabytes(result.bytesRead / result.seconds)}/s, ` +
      `${megabytes(result.bytesRead / result.tokens)} a pass, resident ${megabytes(result.residentBytes)}`,
  );
  return { ...result, rate, peakBytes, limitBytes };
}

/** Rounds of it with raw reads of the checkpoint's files between them. */
export function roundsLimited(checkpoint, rounds, request) {
  return alternateWithRawReads(checkpoint.files, rounds, () => runLimited(checkpoint, request));
}

/**
 * The row of issue 5, number 1: tokens/s ÷ (bandwidth ÷ (bytes of a token − the whole limit)). What the process itself
 * needs, buffers and KV cache are in the figure and not in the limit.
 */
export function rateRow(name, tokenBytes, runs) {
  const [{ limitBytes, bufferedReason }] = runs;
  const limitOf = ({ bandwidth }) => bandwidth / (tokenBytes - limitBytes);
  const middle = (figure) => median(runs.map(figure));
  const read = middle((run) => run.bytesRead / run.tokens);
  const idle = middle((run) => run.idleSeconds / run.seconds);
  return {
    name: bufferedReason === null ? name : `${name} (buffered: ${bufferedReason})`,
    figure: `${middle(({ rate }) => rate).toFixed(3)} tokens/s, ${megabytes(read)} read, disk idle ${(idle * 100).toFixed(1)}%`,
    limit: `${middle(limitOf).toFixed(3)} tokens/s = ${megabytes(middle((run) => run.bandwidth))}/s ÷ (${megabytes(tokenBytes)} − ${megabytes(limitBytes)})`,
    ratio: middle((run) => run.rate / limitOf(run)),
  };
}

/** The row of issue 5, number 8. */
export function peakRow(name, runs) {
  const [{ limitBytes }] = runs;
  const peak = Math.max(...runs.map(({ peakBytes }) => peakBytes));
  return {
    name: `${name}, peak memory`,
    figure: `${megabytes(peak)}; resident ${megabytes(Math.max(...runs.map((run) => run.residentBytes)))}`,
    limit: `${megabytes(limitBytes)} (hard limit, the control group's count)`,
    ratio: peak / limitBytes,
    atMost: 1,
  };
}
