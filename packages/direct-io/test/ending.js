// Run by ending.spec.ts: ends a process, or workers one after the other, with reads in flight.
//
//   node ending.js exit|worker METHOD FILE

import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { setTimeout as sleep } from 'node:timers/promises';
import { openFile, openReadQueue } from '@airllm/direct-io';

const BYTES = 4 * 2 ** 20;

async function startReads([method, path]) {
  const { queue } = openReadQueue({ method });
  const { file } = await openFile(path, { direct: false });
  for (let i = 0; i < 60; i++) {
    const range = { memory: new Uint8Array(BYTES), bufferOffset: 0, byteLength: BYTES, fileOffset: 0 };
    queue.read({ file, ...range, fresh: i % 2 === 0 }).catch(() => undefined);
  }
}

if (!isMainThread) {
  await startReads(workerData);
  await sleep(60_000);
} else {
  const [how, ...request] = process.argv.slice(2);
  if (how === 'exit') {
    await startReads(request);
    process.exit(0);
  }
  // Ended at different moments: while it starts, while it reads, when it has read.
  for (const milliseconds of [0, 40, 60, 80, 100, 150]) {
    const worker = new Worker(new URL(import.meta.url), { workerData: request });
    await sleep(milliseconds);
    await worker.terminate();
  }
}
