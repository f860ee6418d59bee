// One row times every matrix of some layers, as decoding does: each format's bytes per second against memory bandwidth.

import { createCpuBackend, measureMemoryBandwidth } from '@airllm/cpu-backend';
import { createGemvWork } from './lib/gemv-work.js';
import { progress } from './lib/progress.js';
import { runProgram } from './lib/program.js';
import { median } from './lib/statistics.js';

/** Issue 3, row 5, and issue 4, row 5. */
const LEAST_RATIO = { bf16: 0.85, code8: 0.6, code4: 0.45 };

await runProgram({
  about: 'Matrix times one row with resident weights: bytes of the format ÷ memory bandwidth',
  defaults: {
    dtypes: 'bf16,code8,code4,bf16z,int8,int4,q8_0,q4_0,q4_k,q6_k,mxfp4,gptq4,awq4',
    bytes: 1_200_000_000,
    rounds: 7,
    instructionSet: 'auto',
  },
  async measure({ dtypes, bytes, rounds, instructionSet }) {
    const rows = [];
    for (const dtype of dtypes.split(',')) {
      const backend = await createCpuBackend({ instructionSet });
      if (rows.length === 0) progress(backend.description);
      rows.push(await measureFormat(backend, { dtype, bytes, rounds }));
      await backend[Symbol.asyncDispose]();
    }
    return rows;
  },
});

async function measureFormat(backend, { dtype, bytes, rounds }) {
  const work = await createGemvWork(backend, dtype, { leastBytes: bytes });
  await backend.submit(work.submission);
  const rates = [];
  const bandwidths = [];
  for (let round = 0; round < rounds; round++) {
    bandwidths.push((await measureMemoryBandwidth({ bytes: 2 ** 30, seconds: 0.2 })).bytesPerSecond);
    const { computeSeconds } = await backend.submit(work.submission);
    rates.push(work.bytes / computeSeconds);
  }
  work.dispose();
  progress(`${dtype} ${(median(rates) / 1e9).toFixed(1)} GB/s`);
  return {
    name: `${dtype}, ${(work.bytes / 1e9).toFixed(2)} GB`,
    figure: `${(median(rates) / 1e9).toFixed(1)} GB/s`,
    limit: `${(median(bandwidths) / 1e9).toFixed(1)} GB/s`,
    ratio: median(rates.map((rate, round) => rate / bandwidths[round])),
    ...(LEAST_RATIO[dtype] && { atLeast: LEAST_RATIO[dtype] }),
  };
}
