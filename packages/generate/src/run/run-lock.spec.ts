import { settled } from '../../test/fakes.js';
import { RunLock } from './run-lock.js';

describe('RunLock', () => {
  it('lets one in at a time, in the order of asking', async () => {
    const lock = new RunLock();
    const entered: string[] = [];
    const releases = ['a', 'b', 'c'].map(async (name) => {
      const release = await lock.acquire();
      entered.push(name);
      return release;
    });
    await settled();
    expect(entered).toEqual(['a']);
    (await releases[0])?.();
    await settled();
    expect(entered).toEqual(['a', 'b']);
    (await releases[1])?.();
    (await releases[2])?.();
    expect(entered).toEqual(['a', 'b', 'c']);
  });

  it('is not opened for two by a second release', async () => {
    const lock = new RunLock();
    const first = await lock.acquire();
    let entered = 0;
    const second = lock.acquire().then(() => (entered += 1));
    void lock.acquire().then(() => (entered += 1));
    first();
    first();
    await second;
    await settled();
    expect(entered).toBe(1);
  });
});
