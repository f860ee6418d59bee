import { constants } from 'node:fs';
import { mkdir, open, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allocatePages, CountingAllocator, createRandom, PAGE, temporaryFolder } from '../test/support.js';
import { FileReader } from './file-reader.js';

/** Whether files in the temporary folder can be read past the page cache; says so where they cannot. */
async function canReadDirect(): Promise<boolean> {
  const flag: number | undefined = constants.O_DIRECT;
  const path = join(tmpdir(), `direct-probe-${process.pid}`);
  const handle =
    flag && (await open(path, constants.O_RDWR | constants.O_CREAT | flag).catch(() => undefined));
  if (handle) await handle.close();
  else console.warn(`skipped: direct reads, no O_DIRECT for ${tmpdir()} on ${process.platform}`);
  return Boolean(handle);
}

const whereDirect = (await canReadDirect()) ? it : it.skip;
const folder = temporaryFolder();
const random = createRandom(1);
/** Three pages and a bit. */
const content = Buffer.from(Uint8Array.from({ length: 3 * PAGE + 1000 }, () => random.int(0, 255)));

async function file(name: string, bytes: Buffer = content): Promise<string> {
  const path = join(folder.path, name);
  await writeFile(path, bytes);
  return path;
}

const buffered = (byteLength: number) => new CountingAllocator().allocate(byteLength);
const kinds = [
  ['page-aligned', allocatePages],
  ['ordinary', buffered],
] as const;

describe.each(kinds)('FileReader into %s memory', (_, allocate) => {
  let reader: FileReader;
  beforeEach(() => (reader = new FileReader()));
  afterEach(() => reader.close());

  it('reads a range of pages to its place', async () => {
    const path = await file('range');
    const memory = allocate(4 * PAGE);
    const range = { path, fileOffset: PAGE, byteLength: 2 * PAGE, neededBytes: 2 * PAGE };
    await reader.read({ ...range, memory, bufferOffset: PAGE });
    expect(Buffer.from(memory.bytes.subarray(PAGE, 3 * PAGE))).toEqual(content.subarray(PAGE, 3 * PAGE));
    expect(memory.bytes.subarray(0, PAGE).every((byte) => byte === 0)).toBe(true);
    expect(memory.bytes.subarray(3 * PAGE).every((byte) => byte === 0)).toBe(true);
  });

  it('reads to the end of a file that is no whole number of pages', async () => {
    const path = await file('end');
    const memory = allocate(2 * PAGE);
    const range = { path, fileOffset: 2 * PAGE, byteLength: 2 * PAGE, neededBytes: PAGE + 1000 };
    await reader.read({ ...range, memory, bufferOffset: 0 });
    expect(Buffer.from(memory.bytes.subarray(0, PAGE + 1000))).toEqual(content.subarray(2 * PAGE));
  });

  it('reads ranges that are no pages', async () => {
    const path = await file('odd');
    const memory = allocate(PAGE);
    await reader.read({ path, fileOffset: 77, byteLength: 99, neededBytes: 99, memory, bufferOffset: 3 });
    expect(Buffer.from(memory.bytes.subarray(3, 102))).toEqual(content.subarray(77, 176));
  });

  it('reads many ranges of several files at once', async () => {
    const paths = await Promise.all(['many-a', 'many-b'].map((name) => file(name)));
    const memory = allocate(6 * PAGE);
    await Promise.all(
      [0, 1, 2, 3, 4, 5].map((i) =>
        reader.read({
          path: paths[i % 2] ?? '',
          fileOffset: (i % 3) * PAGE,
          byteLength: PAGE,
          neededBytes: PAGE,
          memory,
          bufferOffset: i * PAGE,
        }),
      ),
    );
    for (let i = 0; i < 6; i++) {
      const page = content.subarray((i % 3) * PAGE, (i % 3) * PAGE + PAGE);
      expect(Buffer.from(memory.bytes.subarray(i * PAGE, (i + 1) * PAGE))).toEqual(page);
    }
  });

  it('names file, offset and bytes when the file ends too soon, and reads it again when it is whole', async () => {
    const path = await file('truncated');
    const memory = allocate(2 * PAGE);
    const range = { path, fileOffset: PAGE, byteLength: 2 * PAGE, neededBytes: 2 * PAGE };
    await truncate(path, 2 * PAGE + 10);
    await expect(reader.read({ ...range, memory, bufferOffset: 0 })).rejects.toMatchObject({
      code: 'READ_FAILED',
      fields: { path, fileOffset: PAGE, neededBytes: 2 * PAGE, arrived: PAGE + 10 },
      message: expect.stringContaining(`${2 * PAGE} bytes at offset ${PAGE} of ${path}`),
    });
    await writeFile(path, content);
    await reader.read({ ...range, memory, bufferOffset: 0 });
    expect(Buffer.from(memory.bytes)).toEqual(content.subarray(PAGE, 3 * PAGE));
  });

  it('names a file that is missing, and reads it when it is there', async () => {
    const path = join(folder.path, `late-${_}`);
    const memory = allocate(PAGE);
    const request = { path, fileOffset: 0, byteLength: PAGE, neededBytes: PAGE, memory, bufferOffset: 0 };
    await expect(reader.read(request)).rejects.toMatchObject({
      code: 'READ_FAILED',
      fields: { path, fileOffset: 0 },
      cause: { code: 'ENOENT' },
    });
    await writeFile(path, content);
    await reader.read(request);
    expect(Buffer.from(memory.bytes)).toEqual(content.subarray(0, PAGE));
  });

  it('notices a file that was replaced or written to, naming it, after it was read from', async () => {
    const memory = allocate(PAGE);
    const paths = await Promise.all(['replaced', 'written', 'removed', 'same'].map((name) => file(name)));
    const [replaced = '', written = '', removed = ''] = paths;
    const readFirstPage = (path: string) =>
      reader.read({ path, fileOffset: 0, byteLength: PAGE, neededBytes: PAGE, memory, bufferOffset: 0 });
    for (const path of paths) await readFirstPage(path);
    await expect(reader.expectUnchanged()).resolves.toBeUndefined();
    await rename(await file('another'), replaced);
    await writeFile(written, content.subarray(0, PAGE));
    await rm(removed);
    // Nobody has read since: whoever does not use a file need not know.
    await expect(reader.expectUnchanged()).resolves.toBeUndefined();
    for (const path of paths.slice(2)) await readFirstPage(path);
    await expect(reader.expectUnchanged()).resolves.toBeUndefined();
    for (const [path, isReplaced] of [
      [replaced, true],
      [written, false],
    ] as const) {
      await readFirstPage(path);
      await expect(reader.expectUnchanged()).rejects.toMatchObject({
        code: 'FILE_CHANGED',
        fields: { path, replaced: isReplaced },
        message: expect.stringContaining('open the model again'),
      });
    }
  });

  it('refuses a folder', async () => {
    const path = join(folder.path, 'a-folder');
    await mkdir(path, { recursive: true });
    const request = { path, fileOffset: 0, byteLength: PAGE, neededBytes: PAGE, memory: allocate(PAGE) };
    await expect(reader.read({ ...request, bufferOffset: 0 })).rejects.toMatchObject({
      code: 'READ_FAILED',
      fields: { path },
    });
  });

  it('can be closed twice', async () => {
    const path = await file('closed');
    const memory = allocate(PAGE);
    await reader.read({ path, fileOffset: 0, byteLength: PAGE, neededBytes: PAGE, memory, bufferOffset: 0 });
    await reader.close();
    await expect(reader.close()).resolves.toBeUndefined();
  });
});

describe('bufferedReason', () => {
  const read = async (memory: ReturnType<typeof allocatePages>, path: string, reader: FileReader) =>
    reader.read({ path, fileOffset: 0, byteLength: PAGE, neededBytes: PAGE, memory, bufferOffset: 0 });

  it('says why the page cache is in between', async () => {
    const reader = new FileReader();
    await read(buffered(PAGE), await file('reason'), reader);
    expect(reader.bufferedReason).toBe('this backend has no page-aligned memory');
    await reader.close();
  });

  whereDirect('is absent while all reads are direct, also at the end of a file', async () => {
    const reader = new FileReader();
    const path = await file('direct');
    const memory = allocatePages(PAGE);
    await read(memory, path, reader);
    await reader.read({
      path,
      fileOffset: 3 * PAGE,
      byteLength: PAGE,
      neededBytes: 1000,
      memory,
      bufferOffset: 0,
    });
    expect(Buffer.from(memory.bytes.subarray(0, 1000))).toEqual(content.subarray(3 * PAGE));
    expect(reader.bufferedReason).toBeUndefined();
    await reader.close();
  });

  whereDirect(
    'says that a file system refuses a read of a file that it opened, and reads all the same',
    async () => {
      const reader = new FileReader();
      const path = await file('refusing');
      // EINVAL from the system, as for a disk with larger blocks than pages: memory that is not where it claims to be.
      const bytes = new Uint8Array(new ArrayBuffer(2 * PAGE), 8 + 1, PAGE);
      const memory = { bytes, byteLength: PAGE, pageAligned: true, dispose: () => undefined };
      for (let attempt = 0; attempt < 2; attempt++) {
        bytes.fill(0);
        await read(memory, path, reader);
        expect(Buffer.from(bytes)).toEqual(content.subarray(0, PAGE));
        expect(reader.bufferedReason).toBe('the file system refuses direct reads');
      }
      await reader.close();
    },
  );

  whereDirect('is absent after a truncated file: that is no refusal', async () => {
    const reader = new FileReader();
    await expect(
      read(allocatePages(PAGE), await file('short', content.subarray(0, 7)), reader),
    ).rejects.toThrow('truncated');
    expect(reader.bufferedReason).toBeUndefined();
    await reader.close();
  });
});
