// What three bits and escapes cost against an entropy coder: bytes per bf16 byte of `lossless`, of its bound (sign and
// mantissa raw, exponents at their entropy), of zstd on the exponents; and decode speeds, one thread each (processor time for `lossless`, what `zstd -b` says for zstd).

import { demoModelFolder } from '@airllm/demo-model';
import { openKernels } from '@airllm/quantizer';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readHeader, readTensor } from 'safetensors-js';
import { encodePlanes } from './lib/encode-tensor.js';
import { gaussianBf16 } from './lib/gaussian-bf16.js';
import { progress } from './lib/progress.js';
import { describeMachine } from './lib/program.js';
import { zstdBenchmark } from './lib/zstd-benchmark.js';

const LEVELS = [3, 19];
const DECODE_ROUNDS = 20;

const kernels = openKernels({ threads: 1 });
console.log(`${describeMachine()}, ${kernels.description}\n`);
// Folders of safetensors files, given or the embedded model; its tensors, then a synthetic one.
const folders = process.argv.length > 2 ? process.argv.slice(2) : [demoModelFolder];
for (const folder of folders) await report(folder, await matricesOf(folder));
await report('gaussian [2048, 4096]', [
  { name: 'w', shape: [2048, 4096], bytes: gaussianBf16(2048 * 4096, 2048 * 4096) },
]);

async function report(name, tensors) {
  progress(name);
  const source = tensors.reduce((sum, { bytes }) => sum + bytes.length, 0);
  let encoded = 0;
  let decodeSeconds = 0;
  for (const tensor of tensors) {
    const planes = await encodePlanes(
      { ...tensor, dtype: 'BF16', format: 'lossless', kernels },
      tensor.bytes,
    );
    for (const { length } of planes.values()) encoded += length;
    decodeSeconds += await secondsOfDecoding(tensor, planes);
  }
  const exponents = exponentPlane(tensors, source / 2);
  console.log(`${name}: ${tensors.length} matrices, ${(source / 1e6).toFixed(1)} MB of bf16`);
  line('lossless', encoded / source, source / decodeSeconds);
  line('bound', (8 + entropyOf(exponents)) / 16);
  for (const level of LEVELS) {
    const zstd = zstdBenchmark(exponents, level);
    if (zstd === undefined) console.log('  zstd: skipped, its command line is not installed');
    // Decoded exponents are half of the bf16 bytes; putting the planes together is not counted.
    else line(`zstd -${level}`, (source / 2 + zstd.encodedBytes) / source, 2 * zstd.decodeBytesPerSecond);
  }
}

/** Processor seconds, the least of several rounds, into memory that is there already. */
async function secondsOfDecoding({ name, shape, bytes }, planes) {
  const codes = planes.get(`${name}.lossless.codes`);
  const escapes = planes.get(`${name}.lossless.escapes`);
  if (codes === undefined || escapes === undefined) return 0;
  const from = { bytes: planes.get(name), codes, escapes };
  const cols = shape.at(-1);
  const to = new Uint8Array(bytes.length);
  const rounds = [];
  for (let round = 0; round < DECODE_ROUNDS; round++) {
    const before = process.cpuUsage();
    await kernels.decodeLossless(from, { rows: bytes.length / 2 / cols, cols }, to);
    const { user, system } = process.cpuUsage(before);
    rounds.push((user + system) / 1e6);
  }
  return Math.min(...rounds);
}

function line(name, ratio, bytesPerSecond) {
  const speed =
    bytesPerSecond === undefined ? '' : `, decodes ${(bytesPerSecond / 1e9).toFixed(2)} GB/s of bf16`;
  console.log(`  ${name.padEnd(10)} ${ratio.toFixed(4)}${speed}`);
}

/** The bf16 matrices in a folder's safetensors files. */
async function matricesOf(folder) {
  const matrices = [];
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.safetensors'))) {
    const path = join(folder, file);
    for (const tensor of (await readHeader(path)).tensors.values()) {
      if (tensor.dtype !== 'BF16' || tensor.shape.length < 2) continue;
      matrices.push({ name: tensor.name, shape: tensor.shape, bytes: await readTensor(path, tensor) });
    }
  }
  return matrices;
}

function exponentPlane(tensors, elements) {
  const plane = new Uint8Array(elements);
  let next = 0;
  for (const { bytes } of tensors) {
    for (let i = 0; i < bytes.length; i += 2) plane[next++] = ((bytes[i + 1] & 0x7f) << 1) | (bytes[i] >> 7);
  }
  return plane;
}

/** Bits per byte, order 0. */
function entropyOf(plane) {
  const counts = new Float64Array(256);
  for (const value of plane) counts[value]++;
  return counts.reduce(
    (bits, count) => (count === 0 ? bits : bits - (count / plane.length) * Math.log2(count / plane.length)),
    0,
  );
}
