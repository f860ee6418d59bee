import { truncate } from 'node:fs/promises';
import { checkpoint } from '../test/small-checkpoint.js';
import { CountingAllocator } from '../test/support.js';
import { measureDisk } from './measure-disk.js';

describe('measureDisk', () => {
  it('reads each tile at most once, says how it read, and gives its memory back', async () => {
    const { layout } = await checkpoint('measured');
    const allocator = new CountingAllocator();
    const speed = await measureDisk({ layout, allocate: allocator.allocate, seconds: 60 });
    expect(speed.bytesPerSecond).toBeGreaterThan(0);
    expect(speed.bufferedReason).toBe('this backend has no page-aligned memory');
    expect(allocator.liveBytes).toBe(0);
  });

  it('fails with the file that cannot be read', async () => {
    const { layout, path } = await checkpoint('unmeasured');
    await truncate(path, 4096);
    const allocator = new CountingAllocator();
    const measuring = measureDisk({ layout, allocate: allocator.allocate });
    await expect(measuring).rejects.toMatchObject({ code: 'READ_FAILED', fields: { path } });
    expect(allocator.liveBytes).toBe(0);
  });
});
