// Shards are made as fast as bytes are read and written if encoding is much faster than a disk; memory is its limit. The
// figure per processor second tells what a core does on a machine that others use too.

import { openKernels } from '@airllm/quantizer';
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import { encodeTensor } from './lib/encode-tensor.js';
import { gaussianBf16 } from './lib/gaussian-bf16.js';
import { progress } from './lib/progress.js';
import { runProgram } from './lib/program.js';
import { median } from './lib/statistics.js';

const COLS = 4096;
const CASES = [
  ['4bit', { format: '4bit' }],
  ['4bit, double quantization', { format: '4bit', doubleQuantization: true }],
  ['8bit', { format: '8bit' }],
  ['int8', { format: 'int8' }],
  ['int4', { format: 'int4' }],
  ['lossless, survey and encoding', { format: 'lossless' }],
];

await runProgram({
  about: 'Encoding bf16 ÷ copying it (one thread), source bytes per second',
  defaults: { megabytes: 256, chunkMegabytes: 4, threads: availableParallelism(), rounds: 5 },
  async measure({ megabytes, chunkMegabytes, threads, rounds }) {
    const rows = (megabytes * 2 ** 20) / (2 * COLS);
    const source = gaussianBf16(rows * COLS);
    const kernels = openKernels({ threads });
    progress(kernels.description);
    const copy = new Uint8Array(source.length).fill(1);
    const figures = [];
    for (const [name, options] of CASES) {
      const tensor = { name: 'w', dtype: 'BF16', shape: [rows, COLS], kernels, ...options };
      await encodeTensor(tensor, source, chunkMegabytes * 2 ** 20);
      const rates = [];
      const perCpuSecond = [];
      const copies = [];
      for (let round = 0; round < rounds; round++) {
        const started = performance.now();
        copy.set(source);
        copies.push(source.length / ((performance.now() - started) / 1000));
        const before = process.cpuUsage();
        const { surveySeconds, encodeSeconds } = await encodeTensor(tensor, source, chunkMegabytes * 2 ** 20);
        const { user, system } = process.cpuUsage(before);
        perCpuSecond.push(source.length / ((user + system) / 1e6));
        rates.push(source.length / (surveySeconds + encodeSeconds));
      }
      progress(`${name}: ${gigabytes(rates)}`);
      figures.push({
        name: `${name}, ${kernels.description}`,
        figure: `${gigabytes(rates)}, ${(median(perCpuSecond) / 1e9).toFixed(2)} GB per CPU second`,
        limit: `${gigabytes(copies)} copied`,
        ratio: median(rates.map((rate, round) => rate / copies[round])),
      });
    }
    return figures;
  },
});

function gigabytes(rates) {
  return `${(median(rates) / 1e9).toFixed(2)} GB/s`;
}
