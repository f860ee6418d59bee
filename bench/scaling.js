// Seconds per token against the bytes that are streamed, at a fixed budget: a straight line through the origin, whose slope
// is one over the disk's bandwidth. Checkpoints are written one after the other and removed, unless --keep yes.

import { rm } from 'node:fs/promises';
import { PRESETS } from '@airllm/synthetic-checkpoint';
import { openShape } from './lib/bench-checkpoint.js';
import { fitLine } from './lib/fit-line.js';
import { runLimited } from './lib/limited-decode.js';
import { megabytes } from './lib/megabytes.js';
import { runProgram } from './lib/program.js';
import { rawBandwidth } from './lib/raw-bandwidth.js';
import { median } from './lib/statistics.js';

/** Of '5GB', whose layers have 201 MB: 1.2, 2.4, 4.4 and 8.2 GB with the embedding and the head. */
const LAYERS = [4, 10, 20, 39];
/** How well a line has to explain the times. */
const LEAST_R2 = 0.98;

await runProgram({
  about: 'Seconds per token against bytes streamed, 1 to 8 GB of weights at a fixed budget',
  defaults: { host: '600MB', tokens: 3, rounds: 3, keep: 'no' },
  async measure({ host, tokens, rounds, keep }) {
    const points = [];
    const rows = [];
    for (const layers of LAYERS) {
      const checkpoint = await openShape(`5GB-${layers}-layers`, { ...PRESETS['5GB'], layers });
      try {
        const runs = [];
        for (let round = 0; round < rounds; round++)
          runs.push(await runLimited(checkpoint, { host, tokens }));
        const bandwidth = await rawBandwidth(checkpoint.files);
        const seconds = median(runs.map((run) => run.seconds / run.tokens));
        const bytes = median(runs.map((run) => run.bytesRead / run.tokens));
        points.push({ x: bytes, y: seconds });
        rows.push({
          name: `${megabytes(checkpoint.weightBytes)} of weights in ${host}`,
          figure: `${seconds.toFixed(3)} s/token, ${megabytes(bytes)} streamed`,
          limit: `${(bytes / bandwidth).toFixed(3)} s/token at ${megabytes(bandwidth)}/s`,
          ratio: (seconds * bandwidth) / bytes,
        });
      } finally {
        if (keep !== 'yes') await rm(checkpoint.folder, { recursive: true });
      }
    }
    const { slope, intercept, r2 } = fitLine(points);
    rows.push({
      name: 'straight line through these points, R²',
      figure: `${(slope * 1e9).toFixed(3)} s per GB + ${intercept.toFixed(3)} s`,
      limit: `${megabytes(1 / slope)}/s`,
      ratio: r2,
      atLeast: LEAST_R2,
    });
    return rows;
  },
});
