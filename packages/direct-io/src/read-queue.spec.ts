import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFile } from './open-file.js';
import { openReadQueue, tryLoadBinding, type OpenReadQueueOptions } from './open-read-queue.js';
import type { ReadableFile, ReadMethod, ReadQueue } from './read-queue.js';

const PAGE = 4096;

/** Methods of this machine; the others are named with the reason. */
const methods = (['node', 'threads', 'io_uring'] as const).filter((method) => {
  try {
    void openReadQueue({ method }).queue[Symbol.asyncDispose]();
    return true;
  } catch (error) {
    console.warn(`skipped: reads with ${method}: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
});

/** Byte i of every file. */
const content = Buffer.from(
  Uint8Array.from({ length: 300 * PAGE + 77 }, (_, i) => (i * 31 + (i >> 8)) & 0xff),
);

let folder: string;
let file: ReadableFile;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'airllm-direct-io-'));
  await writeFile(join(folder, 'content'), content);
  ({ file } = await openFile(join(folder, 'content'), { direct: false }));
});
afterAll(async () => {
  await file.handle.close();
  await rm(folder, { recursive: true });
});

describe.each(methods)('reads with %s', (method: ReadMethod) => {
  let queue: ReadQueue;
  beforeEach(() => ({ queue } = openReadQueue({ method, queueDepth: 4, requestBytes: 2 * PAGE })));
  afterEach(() => queue[Symbol.asyncDispose]());

  it('says what it is', () => expect(queue.method).toBe(method));

  it('fills the range of the memory that was asked for and nothing else', async () => {
    const memory = new Uint8Array(20 * PAGE);
    const range = { bufferOffset: 3 * PAGE, byteLength: 10 * PAGE, fileOffset: 5 };
    expect(await queue.read({ file, memory, ...range })).toBe(10 * PAGE);
    expect(Buffer.from(memory.subarray(3 * PAGE, 13 * PAGE))).toEqual(content.subarray(5, 5 + 10 * PAGE));
    expect(memory.subarray(0, 3 * PAGE).every((byte) => byte === 0)).toBe(true);
    expect(memory.subarray(13 * PAGE).every((byte) => byte === 0)).toBe(true);
  });

  it('counts what is there at the end of a file', async () => {
    const memory = new Uint8Array(8 * PAGE);
    const range = { bufferOffset: 0, byteLength: 8 * PAGE, fileOffset: 298 * PAGE };
    expect(await queue.read({ file, memory, ...range })).toBe(2 * PAGE + 77);
    expect(await queue.read({ file, memory, ...range, fileOffset: 400 * PAGE })).toBe(0);
    expect(await queue.read({ file, memory, ...range, byteLength: 0 })).toBe(0);
  });

  it('reads many ranges at once', async () => {
    const memory = new Uint8Array(290 * PAGE);
    const byteLength = 29 * PAGE;
    const reads = Array.from({ length: 10 }, (_, i) =>
      queue.read({
        file,
        memory,
        bufferOffset: i * byteLength,
        byteLength,
        fileOffset: i * byteLength,
        fresh: true,
      }),
    );
    expect(await Promise.all(reads)).toEqual(Array.from({ length: 10 }, () => byteLength));
    expect(Buffer.from(memory)).toEqual(content.subarray(0, 290 * PAGE));
  });

  it('names file, offset and system error of a read that fails', async () => {
    const path = join(folder, 'content');
    const handle = await open(path, 'a');
    const writable = { path, handle, direct: false };
    const read = queue.read({
      file: writable,
      memory: new Uint8Array(PAGE),
      bufferOffset: 0,
      byteLength: PAGE,
      fileOffset: 99,
    });
    await expect(read).rejects.toMatchObject({
      code: 'READ_FAILED',
      fields: { path, fileOffset: 99, errno: 'EBADF' },
      message: expect.stringContaining(`${path} at offset 99`) as string,
    });
    await handle.close();
  });

  it('names a file that was closed before', async () => {
    const { file: closed } = await openFile(join(folder, 'content'), { direct: false });
    await closed.handle.close();
    const range = { bufferOffset: 0, byteLength: PAGE, fileOffset: 0 };
    await expect(queue.read({ file: closed, memory: new Uint8Array(PAGE), ...range })).rejects.toMatchObject({
      code: 'READ_FAILED',
      fields: { path: closed.path, errno: 'EBADF' },
    });
  });

  it.each([
    { bufferOffset: 1, byteLength: PAGE, fileOffset: 0 },
    { bufferOffset: 0, byteLength: -1, fileOffset: 0 },
    { bufferOffset: 0, byteLength: 1, fileOffset: 0.5 },
    { bufferOffset: 2 ** 53, byteLength: 1, fileOffset: 0 },
  ])('refuses a range that is not inside the memory: %j', async (range) => {
    const read = queue.read({ file, memory: new Uint8Array(PAGE), ...range });
    await expect(read).rejects.toMatchObject({ code: 'INVALID_READ', fields: range });
  });

  it('gives up what waits when it is aborted, and reads on', async () => {
    const memory = new Uint8Array(300 * PAGE);
    const all = { file, memory, bufferOffset: 0, byteLength: 300 * PAGE, fileOffset: 0 };
    const abort = new AbortController();
    const outcomes = Array.from({ length: 30 }, () => queue.read({ ...all, signal: abort.signal }));
    abort.abort();
    const settled = await Promise.allSettled(outcomes);
    const failures = settled.flatMap((outcome): unknown[] =>
      outcome.status === 'rejected' ? [outcome.reason] : [],
    );
    for (const failure of failures) expect(failure).toMatchObject({ code: 'READ_CANCELLED' });
    await expect(queue.read({ ...all, signal: AbortSignal.abort() })).rejects.toThrow('cancelled');
    expect(await queue.read(all)).toBe(300 * PAGE);
  });

  it('closes with reads in flight, once they have ended, and reads no more', async () => {
    const all = { file, bufferOffset: 0, byteLength: 300 * PAGE, fileOffset: 0 };
    const reads = Array.from({ length: 8 }, () => queue.read({ ...all, memory: new Uint8Array(300 * PAGE) }));
    let ended = 0;
    for (const read of reads) void read.catch(() => undefined).finally(() => (ended += 1));
    await queue[Symbol.asyncDispose]();
    // What has settled is told within a turn.
    await new Promise(setImmediate);
    expect(ended).toBe(8);
    const after = queue.read({ ...all, memory: new Uint8Array(300 * PAGE) });
    await expect(after).rejects.toMatchObject({ code: 'READER_CLOSED' });
    await expect(queue[Symbol.asyncDispose]()).resolves.toBeUndefined();
  });
});

describe('openReadQueue', () => {
  const native = typeof tryLoadBinding() !== 'string';
  const whereNative = native ? it : it.skip;

  whereNative('takes native code by itself, without a fall-back to tell of', async () => {
    const { queue, fallbackReason } = openReadQueue();
    expect(['io_uring', 'threads']).toContain(queue.method);
    expect(fallbackReason).toBeUndefined();
    await queue[Symbol.asyncDispose]();
  });

  it.each<OpenReadQueueOptions>([
    { queueDepth: 0 },
    { queueDepth: 1025 },
    { queueDepth: 1.5 },
    { requestBytes: 4095 },
    { requestBytes: 6000 },
    { requestBytes: 2 ** 31 },
  ])('refuses impossible settings: %j', (settings) => {
    expect(() => openReadQueue(settings)).toThrow(
      expect.objectContaining({ code: 'INVALID_READ', fields: expect.objectContaining(settings) as object }),
    );
  });
});
