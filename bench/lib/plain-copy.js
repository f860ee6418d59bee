// Copies files as fast as the disk takes them: blocks of 4 MiB, direct reads and writes, several in flight, synced at the
// end. Prints { bytes, seconds }.
//
//   node lib/plain-copy.js TARGET FILE...

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';

const BLOCK_BYTES = 4 * 2 ** 20;
const PAGE_BYTES = 4096;
const COPIES_IN_FLIGHT = 4;
const WASM_PAGE_BYTES = 65_536;

const [target, ...files] = process.argv.slice(2);
// WebAssembly memory begins on a page, as direct I/O needs.
const memory = new globalThis.WebAssembly.Memory({
  initial: (COPIES_IN_FLIGHT * BLOCK_BYTES) / WASM_PAGE_BYTES,
});
const buffers = Array.from(
  { length: COPIES_IN_FLIGHT },
  (_, i) => new Uint8Array(memory.buffer, i * BLOCK_BYTES, BLOCK_BYTES),
);

let bytes = 0;
const started = performance.now();
for (const file of files) bytes += await copy(file, join(target, basename(file)));
const folder = await open(target, 'r');
await folder.sync();
await folder.close();
console.log(JSON.stringify({ bytes, seconds: (performance.now() - started) / 1000 }));

async function copy(from, to) {
  const source = await openDirect(from, constants.O_RDONLY);
  const copied = await openDirect(to, constants.O_WRONLY | constants.O_CREAT);
  const { size } = await source.stat();
  let next = 0;
  await Promise.all(
    buffers.map(async (buffer) => {
      while (next < size) {
        const offset = next;
        next += BLOCK_BYTES;
        const { bytesRead } = await source.read(buffer, 0, BLOCK_BYTES, offset);
        const pages = Math.ceil(bytesRead / PAGE_BYTES) * PAGE_BYTES;
        await copied.write(buffer, 0, pages, offset);
      }
    }),
  );
  await copied.truncate(size);
  await copied.sync();
  await Promise.all([source.close(), copied.close()]);
  return size;
}

/** Through the page cache where direct I/O is refused. */
async function openDirect(path, flags) {
  try {
    return await open(path, flags | (constants.O_DIRECT ?? 0));
  } catch (error) {
    if (error.code !== 'EINVAL') throw error;
    return open(path, flags);
  }
}
