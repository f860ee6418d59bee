// One row times every matrix of some layers, as decoding does: each format's bytes per second against memory bandwidth.

import { Recorder } from '@airllm/backend';
import { createCpuBackend, measureMemoryBandwidth } from '@airllm/cpu-backend';
import { progress } from './lib/progress.js';
import { runProgram } from './lib/program.js';
import { median } from './lib/statistics.js';
import { createWeight } from './lib/weight-pool.js';

/** Widths of Llama-2-7B: attention and the three matrices of the MLP. */
const SHAPES = [
  [4096, 4096],
  [11008, 4096],
  [4096, 11008],
];

const INPUT_MAJOR = ['gptq4', 'awq4'];

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
  const work = await createWork(backend, dtype, bytes);
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

/** Matrices of at least `leastBytes`, each the one operand of a command. */
async function createWork(backend, dtype, leastBytes) {
  const recorder = new Recorder();
  const weights = [];
  const inputs = new Map([4096, 11008].map((depth) => [depth, recorder.input(1, depth)]));
  let bytes = 0;
  for (let i = 0; bytes < leastBytes; i++) {
    const [outputs, depth] = SHAPES[i % SHAPES.length];
    const transposed = INPUT_MAJOR.includes(dtype);
    const shape = transposed ? [depth, outputs] : [outputs, depth];
    const weight = createWeight(backend, dtype, shape);
    bytes += weight.bytes;
    weights.push(weight.slice);
    const x = inputs.get(depth);
    const ref = { name: `w${i}`, shape };
    recorder.output(transposed ? recorder.linearTransposed(x, ref) : recorder.linear(x, ref));
  }
  const program = recorder.finish();
  const arena = backend.createArena(program.arenaElements);
  for (const [depth, x] of inputs) {
    await arena.write(
      x,
      Float32Array.from({ length: depth }, (_, i) => Math.sin(i)),
    );
  }
  const commands = program.commands.map((command, i) => ({ ...command, weight: weights[i] }));
  return {
    bytes,
    submission: { commands, arena },
    dispose() {
      arena.dispose();
      for (const { memory, packing } of weights) {
        memory.dispose();
        for (const beside of Object.values(packing ?? {})) beside?.memory?.dispose();
      }
    },
  };
}
