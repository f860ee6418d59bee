// How fast the checkpoint's files can be read: whole files, front to back, past the page cache, many reads in flight, into
// page-aligned memory. Runs in a process of its own, so that its threads and its memory are its own. Prints
// { bytes, seconds, cpuSeconds, direct }.
//
//   node lib/direct-read.js fs|io_uring|threads FILE...
//
// `fs` is a plain loop over node:fs that shares nothing with the product; the others are the product's own reader.

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { createCpuBackend } from '@airllm/cpu-backend';
import { openFile, openReadQueue } from '@airllm/direct-io';

const BLOCK_BYTES = 4 * 2 ** 20;
const READS_IN_FLIGHT = 16;

const [method, ...files] = process.argv.slice(2);
const backend = await createCpuBackend();
const memories = Array.from({ length: READS_IN_FLIGHT }, () => backend.allocateWeights(BLOCK_BYTES));
const { openOne, readBlock, close } = method === 'fs' ? readWithFs() : readWithQueue();
const opened = await Promise.all(files.map(openOne));
const blocks = [];
let expected = 0;
for (const file of opened) {
  const { size } = await file.handle.stat();
  expected += size;
  for (let offset = 0; offset < size; offset += BLOCK_BYTES) blocks.push({ file, offset });
}
// Commits the pages, so that the first reads do not pay for it.
for (const { bytes } of memories) bytes.fill(0);

let next = 0;
let bytes = 0;
const cpu = process.cpuUsage();
const started = performance.now();
await Promise.all(
  memories.map(async (memory) => {
    for (let block = blocks[next++]; block; block = blocks[next++]) {
      const bytesRead = await readBlock(block.file, memory.bytes, block.offset);
      bytes += bytesRead;
    }
  }),
);
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(cpu);
if (bytes !== expected) throw new Error(`Expected to read ${expected} bytes but read ${bytes}`);
console.log(
  JSON.stringify({
    bytes,
    seconds,
    cpuSeconds: (user + system) / 1e6,
    direct: opened.every(({ direct }) => direct),
  }),
);

await close();
await Promise.all(opened.map(({ handle }) => handle.close()));
for (const memory of memories) memory.dispose();
await backend[Symbol.asyncDispose]();

function readWithFs() {
  return {
    async openOne(path) {
      try {
        if (constants.O_DIRECT !== undefined) {
          return { handle: await open(path, constants.O_RDONLY | constants.O_DIRECT), direct: true };
        }
      } catch (error) {
        if (error.code !== 'EINVAL') throw error;
      }
      return { handle: await open(path, 'r'), direct: false };
    },
    readBlock: async ({ handle }, memory, offset) =>
      (await handle.read(memory, 0, BLOCK_BYTES, offset)).bytesRead,
    close: async () => undefined,
  };
}

function readWithQueue() {
  const { queue } = openReadQueue({ method });
  return {
    openOne: async (path) => (await openFile(path, { direct: true })).file,
    readBlock: (file, memory, fileOffset) =>
      queue.read({ file, memory, bufferOffset: 0, byteLength: BLOCK_BYTES, fileOffset }),
    close: () => queue[Symbol.asyncDispose](),
  };
}
