import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CountingAllocator } from '../test/support.js';
import { measureFolder } from './measure-folder.js';

const fileBytes = 8 * 2 ** 20;

describe('measureFolder', () => {
  it('measures, gives its memory back and leaves nothing in the folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'airllm-folder-'));
    const allocator = new CountingAllocator();
    const speed = await measureFolder(folder, { allocate: allocator.allocate, fileBytes });
    expect(speed.bytesPerSecond).toBeGreaterThan(0);
    expect(speed.bufferedReason).toBe('this backend has no page-aligned memory');
    expect(allocator.liveBytes).toBe(0);
    expect(await readdir(folder)).toEqual([]);
    await rm(folder, { recursive: true });
  });

  it('fails where nothing can be written', async () => {
    const allocator = new CountingAllocator();
    const measuring = measureFolder('/no/such/folder', { allocate: allocator.allocate, fileBytes });
    await expect(measuring).rejects.toMatchObject({ code: 'ENOENT' });
    expect(allocator.liveBytes).toBe(0);
  });
});
