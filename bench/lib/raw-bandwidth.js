// The disk's own speed, measured beside every figure that is compared with it.

import { fileURLToPath } from 'node:url';
import { dropCaches } from './drop-caches.js';
import { megabytes } from './megabytes.js';
import { progress } from './progress.js';
import { runNode } from './run-node.js';

const RAW_READ = fileURLToPath(new URL('./direct-read.js', import.meta.url));
/** Of node:fs: as many as a disk needs to be busy all the time. */
const READS_IN_FLIGHT = '16';

/** The product's own reader, and a loop that shares nothing with it. */
const METHODS = ['threads', 'fs'];

/** Direct reads of whole files, in a process of its own; `method` as direct-read.js takes it. */
export async function rawRead(method, files) {
  await dropCaches();
  const env = { UV_THREADPOOL_SIZE: READS_IN_FLIGHT };
  const { result } = await runNode([RAW_READ, method, ...files], { env });
  if (!result.direct) progress('raw reads go through the page cache: no direct I/O here');
  return { ...result, bytesPerSecond: result.bytes / result.seconds };
}

/** Bytes per second of direct reads of whole files: the faster of two ways. */
export async function rawBandwidth(files) {
  const rates = [];
  for (const method of METHODS) rates.push((await rawRead(method, files)).bytesPerSecond);
  progress(`raw reads: ${METHODS.map((method, i) => `${method} ${megabytes(rates[i])}/s`).join(', ')}`);
  return Math.max(...rates);
}

/**
 * Runs `measure` `rounds` times with raw reads before, between and after, and resolves to
 * [{ bandwidth, …what measure resolved to }]: the bandwidth of a round is the mean of the one before and the one after,
 * because machines change speed.
 */
export async function alternateWithRawReads(files, rounds, measure) {
  const results = [];
  let before = await rawBandwidth(files);
  for (let round = 0; round < rounds; round++) {
    await dropCaches();
    const result = await measure(round);
    const after = await rawBandwidth(files);
    results.push({ bandwidth: (before + after) / 2, ...result });
    before = after;
  }
  return results;
}
