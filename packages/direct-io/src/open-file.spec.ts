import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFile } from './open-file.js';

describe('openFile', () => {
  let folder: string;
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'airllm-open-file-'))));
  afterAll(() => rm(folder, { recursive: true }));

  it('opens for buffered reads where these are asked for, without a reason', async () => {
    const path = join(folder, 'buffered');
    await writeFile(path, 'x');
    const { file, bufferedReason } = await openFile(path, { direct: false });
    expect(file).toMatchObject({ path, direct: false });
    expect(bufferedReason).toBeUndefined();
    await file.handle.close();
  });

  it('either opens for direct reads or says why not', async () => {
    const path = join(folder, 'direct');
    await writeFile(path, 'x');
    const { file, bufferedReason } = await openFile(path, { direct: true });
    expect(file.direct).toBe(bufferedReason === undefined);
    await file.handle.close();
  });

  it('lets the error of a missing file through', async () => {
    const path = join(folder, 'missing');
    await expect(openFile(path, { direct: true })).rejects.toMatchObject({ code: 'ENOENT' });
  });

  // File systems without direct reads: files of the kernel's own are everywhere on Linux.
  const kernelFile = '/proc/self/limits';
  const whereProc = existsSync(kernelFile) ? it : it.skip;
  if (!existsSync(kernelFile)) console.warn('skipped: a file system that refuses O_DIRECT, no /proc here');
  whereProc('falls back and says so where the file system refuses', async () => {
    const { file, bufferedReason } = await openFile(kernelFile, { direct: true });
    expect(file.direct).toBe(false);
    expect(bufferedReason).toBe('the file system refuses direct reads');
    const { bytesRead } = await file.handle.read(new Uint8Array(16), 0, 16, 0);
    expect(bytesRead).toBe(16);
    await file.handle.close();
  });
});
