// The smallest budget does not grow with a layer: two layers of Llama 3.1 405B's real widths, its embedding and its head, in
// 1 GB. The checkpoint is written for the run (21 GB) and removed after it, unless --keep yes.

import { rm, statfs } from 'node:fs/promises';
import { benchFolder, openBenchCheckpoint } from './lib/bench-checkpoint.js';
import { peakRow, rateRow, roundsLimited } from './lib/limited-decode.js';
import { runProgram } from './lib/program.js';

const PRESET = '405B-21GB';
const NEEDED_BYTES = 24e9;
/** Issue 5, rows 1 and 10. */
const LEAST_RATIO = 0.9;

await runProgram({
  about: 'Two layers of 6.4 GB with the widths of Llama 3.1 405B, decoded in 1 GB',
  defaults: { host: '1GB', tokens: 2, rounds: 2, keep: 'no' },
  async measure({ host, tokens, rounds, keep }) {
    await expectRoom();
    const checkpoint = await openBenchCheckpoint(PRESET);
    try {
      const runs = await roundsLimited(checkpoint, rounds, { host, tokens, prompt: 4 });
      const name = `decode, 2 layers of 405B in ${host}`;
      return [{ ...rateRow(name, checkpoint.tokenBytes, runs), atLeast: LEAST_RATIO }, peakRow(name, runs)];
    } finally {
      if (keep !== 'yes') await rm(checkpoint.folder, { recursive: true });
    }
  },
});

async function expectRoom() {
  const { bavail, bsize } = await statfs(await benchFolder());
  if (bavail * bsize >= NEEDED_BYTES) return;
  throw new Error(
    `Expected ${NEEDED_BYTES / 1e9} GB of free disk but found ${((bavail * bsize) / 1e9).toFixed(1)} GB`,
  );
}
