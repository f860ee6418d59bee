// Decoding under a budget reads what is not pinned from disk for every token, so the disk's bandwidth is its limit.

import { openBenchCheckpoint } from './lib/bench-checkpoint.js';
import { decodeRound } from './lib/decode-round.js';
import { dropCaches } from './lib/drop-caches.js';
import { openModel } from './lib/open-model.js';
import { runProgram } from './lib/program.js';
import { progress } from './lib/progress.js';
import { rawBandwidth } from './lib/raw-bandwidth.js';
import { median } from './lib/statistics.js';

await runProgram({
  about: 'Streamed decode ÷ raw direct reads of the same files',
  defaults: { preset: '2GB', hosts: '600MB,1200MB,1800MB', tokens: 4, rounds: 3 },
  async measure({ preset, hosts, tokens, rounds }) {
    const { folder, files } = await openBenchCheckpoint(preset);
    const rows = [];
    for (const host of hosts.split(',')) {
      const model = await openModel(folder, host);
      try {
        await decodeRound(model, 1);
        const passes = [];
        for (let round = 0; round < rounds; round++) {
          const bandwidth = await rawBandwidth(files);
          await dropCaches();
          const { seconds, bytesRead } = await decodeRound(model, tokens);
          passes.push({ bandwidth, seconds: seconds / tokens, bytes: bytesRead / tokens });
          progress(
            `${host}: ${(bandwidth / 1e6).toFixed(0)} MB/s raw, ${(bytesRead / seconds / 1e6).toFixed(0)} MB/s decoding`,
          );
        }
        rows.push(describe(`decode, ${preset} in ${host}`, passes, model.stats.bufferedReason));
      } finally {
        await model[Symbol.asyncDispose]();
      }
    }
    return rows;
  },
});

function describe(name, passes, bufferedReason) {
  const middle = (field) => median(passes.map((pass) => pass[field]));
  const [bandwidth, seconds, bytes] = [middle('bandwidth'), middle('seconds'), middle('bytes')];
  const limit = bytes / bandwidth;
  return {
    name: bufferedReason === undefined ? name : `${name} (buffered: ${bufferedReason})`,
    figure: `${seconds.toFixed(3)} s/token, ${(bytes / 1e6).toFixed(0)} MB read`,
    limit: `${limit.toFixed(3)} s/token at ${(bandwidth / 1e6).toFixed(0)} MB/s`,
    ratio: median(passes.map((pass) => pass.bytes / pass.bandwidth / pass.seconds)),
  };
}
