#!/usr/bin/env node
// Everything that needs a GPU, in one run: the conformance suite, then figures beside the limit measured in the same run. Needs the
// built packages and any node from 20 on; no test runner.
//
//   node packages/cuda-backend/scripts/gpu-check.mjs [--only conformance|bench]

import { BackendError, byteLengthOf, Tensor } from '@airllm/backend';
import { assertConforms, conformanceCases } from '@airllm/backend/conformance';
import { createCudaBackend, probeCuda } from '@airllm/cuda-backend';

const only = process.argv[process.argv.indexOf('--only') + 1];
const probe = await probeCuda();
if (!probe.available) {
  console.warn(`SKIPPED: ${probe.reason}`);
  process.exit(0);
}
for (const { name, computeCapability, totalBytes } of probe.devices) {
  console.log(`${name}, compute capability ${computeCapability}, ${(totalBytes / 2 ** 30).toFixed(1)} GiB`);
}
let failed = 0;
if (only !== 'bench') for (const precision of ['exact', 'fast']) failed += await conform(precision);
if (only !== 'conformance') await measure();
process.exitCode = failed > 0 ? 1 : 0;

async function conform(precision) {
  const open = () => createCudaBackend({ precision, memoryBytes: 2 ** 30 });
  const shared = await open();
  const failures = [];
  const cases = conformanceCases({ precision });
  for (const one of cases) {
    try {
      await assertConforms(one.disposesBackend ? await open() : shared, one);
    } catch (error) {
      failures.push(`${one.name}: ${error instanceof Error ? error.message : error}`);
      if (error instanceof BackendError && error.code === 'DEVICE_LOST') break;
    }
  }
  await shared[Symbol.asyncDispose]();
  console.log(
    `conformance ${precision}: ${cases.length - failures.length} passed, ${failures.length} failed`,
  );
  for (const failure of failures) console.log(`  ${failure}`);
  return failures.length;
}

async function measure() {
  await using backend = await createCudaBackend();
  // The limit: every element is read and written once.
  const elements = 2 ** 27;
  const big = backend.createArena(elements);
  const all = new Tensor({ elements, offset: 0 }, 1, elements, elements, 0);
  const scaling = await best(() => run(backend, big, [{ op: 'scale', x: all, value: 1 }]));
  const memoryRate = (8 * elements) / scaling;
  console.log(`memory: ${gigabytes(memoryRate)}, read and written`);
  big.dispose();
  for (const dtype of ['bf16', 'q8_0', 'q4_0']) {
    const { seconds, bytes } = await linear(backend, dtype, { rows: 16384, cols: 16384, t: 1, pin: true });
    console.log(`linear ${dtype} of 1 row: ${share(bytes / seconds, memoryRate)} of memory`);
  }
  for (const precision of ['exact', 'fast']) {
    await using many = await createCudaBackend({ precision });
    const { seconds } = await linear(many, 'bf16', { rows: 8192, cols: 8192, t: 2048, pin: true });
    console.log(
      `linear bf16 of 2048 rows, ${precision}: ${((2 * 8192 * 8192 * 2048) / seconds / 1e12).toFixed(1)} TFLOP/s`,
    );
  }
  const host = backend.allocateWeights(2 ** 28);
  const begun = performance.now();
  const pinned = await backend.deviceMemory.pin(host);
  const busRate = 2 ** 28 / ((performance.now() - begun) / 1000);
  pinned.dispose();
  host.dispose();
  const { seconds, bytes } = await linear(backend, 'bf16', {
    rows: 8192,
    cols: 8192,
    t: 1,
    pin: false,
    repeats: 16,
  });
  console.log(`weights streamed from the host: ${share(bytes / seconds, busRate)} of the bus`);
}

async function linear(backend, dtype, { rows, cols, t, pin, repeats = 1 }) {
  const bytes = byteLengthOf(dtype, rows * cols);
  const host = backend.allocateWeights(bytes);
  const memory = pin ? await backend.deviceMemory.pin(host) : host;
  const arena = backend.createArena(t * (rows + cols));
  const x = new Tensor({ elements: t * cols, offset: 0 }, t, cols, cols, 0);
  const out = new Tensor({ elements: t * rows, offset: t * cols }, t, rows, rows, 0);
  // Blocks of a weight that is streamed, each in a half of the staging memory.
  const blocks = pin ? 1 : 8;
  const commands = Array.from({ length: blocks }, (_, i) => ({
    op: 'linear',
    x,
    weight: { memory, byteOffset: (bytes / blocks) * i, dtype, rows: rows / blocks, cols },
    bias: undefined,
    normalizeRows: false,
    out: out.columns((rows / blocks) * i, rows / blocks),
  }));
  const repeated = Array.from({ length: repeats }, () => commands).flat();
  const seconds = (await best(() => run(backend, arena, repeated))) / repeats;
  arena.dispose();
  if (pin) memory.dispose();
  host.dispose();
  return { seconds, bytes };
}

async function run(backend, arena, commands) {
  return (await backend.submit({ arena, commands })).computeSeconds;
}

/** Seconds of the fastest of ten runs, after two that warm up. */
async function best(once) {
  const seconds = [];
  for (let i = 0; i < 12; i++) seconds.push(await once());
  return Math.min(...seconds.slice(2));
}

function share(rate, limit) {
  return `${gigabytes(rate)}, ${((100 * rate) / limit).toFixed(0)} %`;
}

function gigabytes(rate) {
  return `${(rate / 1e9).toFixed(0)} GB/s`;
}
