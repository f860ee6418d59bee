// `linear` on a GPU: weights of one row of x against the device's copy bandwidth, products of many against cuBLAS.

import { byteLengthOf, Tensor } from '@airllm/backend';
import { createGemvWork } from './gemv-work.js';

/** What the project promises of formats of about as many bits; of the others no promise is made. */
const LEAST_GEMV = { bf16: 0.85, code8: 0.8, int8: 0.8, q8_0: 0.8, code4: 0.7, int4: 0.7, q4_0: 0.7 };
const LEAST_GEMM = 0.5;

/** A row for each format. `leastBytes` of weights in matrices of `shapes` are more than caches hold. */
export async function gemvRows(backend, { dtypes, leastBytes, shapes, copyBytesPerSecond }) {
  const rows = [];
  for (const dtype of dtypes) {
    const work = await createGemvWork(backend, dtype, { leastBytes, ...(shapes && { shapes }) });
    const seconds = await best(async () => (await backend.submit(work.submission)).computeSeconds);
    work.dispose();
    const rate = work.bytes / seconds;
    rows.push({
      name: `linear of 1 row, ${dtype}`,
      figure: gigabytes(rate),
      limit: `${gigabytes(copyBytesPerSecond)} copied, read and written`,
      ratio: rate / copyBytesPerSecond,
      ...(LEAST_GEMV[dtype] && { atLeast: LEAST_GEMV[dtype] }),
    });
  }
  return rows;
}

/** A row: floating-point operations of x [rows, depth] · weight [columns, depth]ᵀ per second. `limit` is cuBLAS's, or undefined. */
export async function gemmRow(name, backend, { dtype, rows, depth, columns, limit }) {
  const host = backend.allocateWeights(byteLengthOf(dtype, columns * depth));
  const memory = await backend.deviceMemory.pin(host);
  host.dispose();
  const arena = backend.createArena(rows * (depth + columns));
  const tensor = (cols, offset) => new Tensor({ elements: rows * cols, offset }, rows, cols, cols, 0);
  const x = tensor(depth, 0);
  await arena.write(
    x,
    Float32Array.from({ length: rows * depth }, (_, i) => Math.sin(i)),
  );
  const weight = { memory, byteOffset: 0, dtype, rows: columns, cols: depth };
  const out = tensor(columns, rows * depth);
  const commands = [{ op: 'linear', x, weight, bias: undefined, normalizeRows: false, out }];
  const seconds = await best(async () => (await backend.submit({ arena, commands })).computeSeconds);
  arena.dispose();
  memory.dispose();
  const rate = (2 * rows * depth * columns) / seconds;
  const teraflops = (value) => `${(value / 1e12).toFixed(1)} TFLOP/s`;
  return {
    name,
    figure: teraflops(rate),
    limit: limit ? `${teraflops(limit)} by cuBLAS` : 'no cuBLAS here',
    ...(limit && { ratio: rate / limit, atLeast: LEAST_GEMM }),
  };
}

/** Seconds of the fastest of ten runs, after two that warm up. */
async function best(run) {
  const seconds = [];
  for (let i = 0; i < 12; i++) seconds.push(await run());
  return Math.min(...seconds.slice(2));
}

function gigabytes(rate) {
  return `${(rate / 1e9).toFixed(rate < 1e10 ? 2 : 0)} GB/s`;
}
