// Decoding with every weight in memory reads every weight once per token, so memory bandwidth is its limit. Beside it,
// llama.cpp on the same weights where it is installed under bench/peers: `bf16`, and `q8_0` for the eight-bit formats.

import { existsSync } from 'node:fs';
import { measureMemoryBandwidth } from '@airllm/cpu-backend';
import { writeGguf } from '@airllm/synthetic-checkpoint';
import { describeFolder, openBenchCheckpoint } from './lib/bench-checkpoint.js';
import { openCompressed } from './lib/compressed-checkpoint.js';
import { decodeRound } from './lib/decode-round.js';
import { openLlamaCpp } from './lib/llama-cpp.js';
import { openResidentModel } from './lib/open-model.js';
import { progress } from './lib/progress.js';
import { runProgram } from './lib/program.js';
import { median } from './lib/statistics.js';

/** Issue 5, row 5. */
const LEAST_OF_BANDWIDTH = 0.85;
const LEAST_OF_PEER = 1;
/** What llama.cpp has of the same number of bits. */
const PEER_TYPES = { bf16: 'bf16', '8bit': 'q8_0', int8: 'q8_0' };

await runProgram({
  about: 'Decode with resident weights ÷ memory bandwidth, ÷ llama.cpp',
  defaults: { preset: '2GB', formats: 'bf16,8bit,int8', tokens: 16, rounds: 5, peer: 'no' },
  async measure({ preset, formats, tokens, rounds, peer }) {
    const original = await openBenchCheckpoint(preset);
    const rows = [];
    for (const format of formats.split(',')) {
      const checkpoint =
        format === 'bf16' ? original : await describeFolder(await openCompressed(original.folder, format));
      const gguf = peer === 'no' ? 'none' : await openGguf(original.folder, PEER_TYPES[format]);
      const runs = await measureFormat(format, checkpoint, { gguf, tokens, rounds });
      rows.push(...describe(`decode, ${preset} ${format} resident`, checkpoint.tokenBytes, runs));
    }
    return rows;
  },
});

async function openGguf(folder, type) {
  const path = `${folder}.${type}.gguf`;
  if (!existsSync(path)) {
    progress(`writing ${path}`);
    await writeGguf(folder, path, { type });
  }
  return path;
}

/** Bandwidth, decoding and the peer's decoding, in turn. */
async function measureFormat(format, checkpoint, { gguf, tokens, rounds }) {
  const peer = await openLlamaCpp(gguf, 64);
  const model = await openResidentModel(checkpoint);
  try {
    progress(`${format}: ${model.device}`);
    await decodeRound(model, 1);
    await peer?.decode(1);
    const runs = [];
    for (let round = 0; round < rounds; round++) {
      const { bytesPerSecond } = await measureMemoryBandwidth();
      const { seconds } = await decodeRound(model, tokens);
      const run = { bandwidth: bytesPerSecond, rate: tokens / seconds, peerRate: await peer?.decode(tokens) };
      runs.push(run);
      progress(
        `${(bytesPerSecond / 1e9).toFixed(1)} GB/s, ${run.rate.toFixed(2)} tokens/s` +
          (peer ? `, llama.cpp ${run.peerRate.toFixed(2)}` : ''),
      );
    }
    return runs;
  } finally {
    await model[Symbol.asyncDispose]();
    await peer?.close();
  }
}

function describe(name, tokenBytes, runs) {
  const middle = (value) => median(runs.map(value));
  const bandwidth = middle((run) => run.bandwidth);
  const figure = `${middle((run) => run.rate).toFixed(2)} tokens/s`;
  const rows = [
    {
      name,
      figure,
      limit: `${(bandwidth / tokenBytes).toFixed(2)} tokens/s = ${(bandwidth / 1e9).toFixed(1)} GB/s ÷ ${(tokenBytes / 1e9).toFixed(2)} GB`,
      ratio: middle((run) => (run.rate * tokenBytes) / run.bandwidth),
      atLeast: LEAST_OF_BANDWIDTH,
    },
  ];
  if (runs[0].peerRate === undefined) return rows;
  return rows.concat({
    name: `${name} ÷ llama.cpp`,
    figure,
    limit: `${middle((run) => run.peerRate).toFixed(2)} tokens/s of llama.cpp`,
    ratio: middle((run) => run.rate / run.peerRate),
    atLeast: LEAST_OF_PEER,
  });
}
