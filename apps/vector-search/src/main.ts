#!/usr/bin/env node
// A hundred thousand random vectors, and one of them with some noise as query.

import { createCpuBackend } from '@airllm/cpu-backend';
import { createWebGpuBackend } from '@airllm/webgpu-backend';
import { VectorIndex } from './vector-index.js';

const [ROWS, COLUMNS, SOUGHT] = [100_000, 384, 4711];
const SEARCHES = 10;

const device = process.argv[2] ?? 'cpu';
const openers = { cpu: () => createCpuBackend(), webgpu: () => createWebGpuBackend() };
const open = Object.entries(openers).find(([name]) => name === device)?.[1];
if (!open) throw new TypeError(`Expected ${Object.keys(openers).join(' or ')} but received ${device}`);

await using backend = await open();
console.log(backend.description);
const vectors = Float32Array.from({ length: ROWS * COLUMNS }, () => Math.random() - 0.5);
const query = vectors
  .slice(SOUGHT * COLUMNS, (SOUGHT + 1) * COLUMNS)
  .map((value) => value + (Math.random() - 0.5) / 2);
using index = await VectorIndex.create(backend, vectors, COLUMNS);

const started = performance.now();
for (let i = 1; i < SEARCHES; i++) await index.search(query, 3);
const nearest = await index.search(query, 3);
const milliseconds = (performance.now() - started) / SEARCHES;
for (const { row, score } of nearest) console.log(`vector ${row}: ${score.toFixed(3)}`);
console.log(`${milliseconds.toFixed(1)} ms a search among ${ROWS} vectors`);
