// How fast the checkpoint's files can be read: whole files, front to back, past the page cache, many reads in flight, into
// page-aligned memory. Runs in a process of its own, so that its thread pool and its memory are its own. Prints
// { bytes, seconds, direct }.
//
//   node lib/direct-read.js FILE...

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { createCpuBackend } from '@airllm/cpu-backend';

const BLOCK_BYTES = 4 * 2 ** 20;
const READS_IN_FLIGHT = Number(process.env.UV_THREADPOOL_SIZE ?? 4);

const files = process.argv.slice(2);
const backend = await createCpuBackend();
const memories = Array.from({ length: READS_IN_FLIGHT }, () => backend.allocateWeights(BLOCK_BYTES));
const opened = await Promise.all(files.map(openDirect));
const blocks = [];
let expected = 0;
for (const { handle } of opened) {
  const { size } = await handle.stat();
  expected += size;
  for (let offset = 0; offset < size; offset += BLOCK_BYTES) blocks.push({ handle, offset });
}
// Commits the pages, so that the first reads do not pay for it.
for (const { bytes } of memories) bytes.fill(0);

let next = 0;
let bytes = 0;
const started = performance.now();
await Promise.all(
  memories.map(async (memory) => {
    for (let block = blocks[next++]; block; block = blocks[next++]) {
      const { bytesRead } = await block.handle.read(memory.bytes, 0, BLOCK_BYTES, block.offset);
      bytes += bytesRead;
    }
  }),
);
const seconds = (performance.now() - started) / 1000;
if (bytes !== expected) throw new Error(`Expected to read ${expected} bytes but read ${bytes}`);
console.log(JSON.stringify({ bytes, seconds, direct: opened.every(({ direct }) => direct) }));

await Promise.all(opened.map(({ handle }) => handle.close()));
for (const memory of memories) memory.dispose();
await backend[Symbol.asyncDispose]();

async function openDirect(path) {
  try {
    if (constants.O_DIRECT !== undefined) {
      return { handle: await open(path, constants.O_RDONLY | constants.O_DIRECT), direct: true };
    }
  } catch (error) {
    if (error.code !== 'EINVAL') throw error;
  }
  return { handle: await open(path, 'r'), direct: false };
}
