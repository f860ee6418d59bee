import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { allocatePages, CountingAllocator, makeTiles, PAGE, temporaryFolder } from '../test/support.js';
import { tuneDisks, type TuneDisksOptions } from './tune-disks.js';

const folder = temporaryFolder();

async function layoutOf(name: string, pages: number): Promise<TuneDisksOptions['layout']> {
  const path = join(folder.path, name);
  await writeFile(path, new Uint8Array(pages * PAGE));
  const range = { path, fileOffset: 0, byteLength: PAGE, bufferOffset: 0, neededBytes: PAGE };
  return { denseTiles: makeTiles(2).map((tile) => ({ ...tile, reads: [range] })), expertTiles: new Map() };
}

it('measures a disk once, and remembers it', async () => {
  const layout = await layoutOf('large', 16);
  const cachePath = join(folder.path, 'disks.json');
  const options = { layout, allocate: allocatePages, cachePath, smallestFileBytes: PAGE };
  const tuned = await tuneDisks(options);
  if (tuned.length === 0) {
    console.warn(`skipped: tuning, no direct reads in ${folder.path}`);
    return;
  }
  const stored = JSON.parse(await readFile(cachePath, 'utf8')) as { disks: { id: string }[] };
  expect(stored.disks.map(({ id }) => id)).toEqual(tuned.map(({ id }) => id));
  expect(await tuneDisks(options)).toEqual([]);
});

it('leaves small files and memory that is not page-aligned alone, and gives its memory back', async () => {
  const layout = await layoutOf('small', 16);
  const cachePath = join(folder.path, 'none.json');
  const allocator = new CountingAllocator();
  const { allocate } = allocator;
  expect(await tuneDisks({ layout, allocate, cachePath })).toEqual([]);
  expect(await tuneDisks({ layout, allocate, cachePath, smallestFileBytes: PAGE })).toEqual([]);
  expect(allocator.liveBytes).toBe(0);
  await expect(readFile(cachePath)).rejects.toThrow('ENOENT');
});
