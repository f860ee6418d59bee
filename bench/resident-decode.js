// Decoding with every weight in memory reads every weight once per token, so memory bandwidth is its limit.

import { measureMemoryBandwidth } from '@airllm/cpu-backend';
import { openBenchCheckpoint } from './lib/bench-checkpoint.js';
import { decodeRound } from './lib/decode-round.js';
import { openResidentModel } from './lib/open-model.js';
import { progress } from './lib/progress.js';
import { runProgram } from './lib/program.js';
import { median } from './lib/statistics.js';

/** Issue 2, row 6. */
const LEAST_RATIO = 0.6;

await runProgram({
  about: 'Decode with resident weights ÷ memory bandwidth',
  defaults: { preset: '2GB', tokens: 16, rounds: 5 },
  async measure({ preset, tokens, rounds }) {
    const checkpoint = await openBenchCheckpoint(preset);
    const model = await openResidentModel(checkpoint);
    try {
      progress(model.device);
      await decodeRound(model, 1);
      const rates = [];
      const bandwidths = [];
      for (let round = 0; round < rounds; round++) {
        bandwidths.push((await measureMemoryBandwidth()).bytesPerSecond);
        const { seconds } = await decodeRound(model, tokens);
        rates.push(tokens / seconds);
        progress(`${(bandwidths[round] / 1e9).toFixed(1)} GB/s, ${rates[round].toFixed(2)} tokens/s`);
      }
      const rate = median(rates);
      const bandwidth = median(bandwidths);
      const limit = bandwidth / checkpoint.tokenBytes;
      return [
        {
          name: `decode, ${preset} bf16 resident`,
          figure: `${rate.toFixed(2)} tokens/s`,
          limit: `${limit.toFixed(2)} tokens/s = ${(bandwidth / 1e9).toFixed(1)} GB/s ÷ ${(checkpoint.tokenBytes / 1e9).toFixed(2)} GB`,
          ratio: median(rates.map((rate, round) => (rate * checkpoint.tokenBytes) / bandwidths[round])),
          atLeast: LEAST_RATIO,
        },
      ];
    } finally {
      await model[Symbol.asyncDispose]();
    }
  },
});
