import { join } from 'node:path';
import { openKernels } from '@airllm/quantizer';
import { CountingAllocator, createRandom, temporaryFolder, writeContents } from '../test/support.js';
import { samplePacking } from './sample-packing.js';
import { layOutStore, type StoreLayout } from './store-layout.js';

const folder = temporaryFolder();
const kernels = openKernels({ threads: 1 });
const SHAPE = [256, 256];

/** A matrix whose exponents are one of `exponents`, cut into tiles. */
async function layOut(exponents: number): Promise<StoreLayout> {
  const random = createRandom(exponents);
  const bytes = new Uint8Array(2 * 256 * 256);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < bytes.length; i += 2)
    view.setUint16(i, ((128 - random.int(1, exponents)) << 7) | random.int(0, 127), true);
  const tensors = await writeContents(join(folder.path, `${exponents}`), [
    { name: 'matrix', dtype: 'BF16', shape: SHAPE, bytes },
    { name: 'table', dtype: 'BF16', shape: [1, 256], bytes: bytes.subarray(0, 512) },
  ]);
  const stages = [{ name: 'layer', weights: [{ name: 'matrix', shape: SHAPE }] }];
  return layOutStore({ stages, embedding: { name: 'table', shape: [1, 256] }, tensors, tileBytes: 16384 });
}

describe('samplePacking', () => {
  it('is what the planes of bf16z take, in whole pages', async () => {
    const { allocate, ...allocator } = counting();
    // 32 rows of 256 bytes, 96 of codes and one base: 11296 bytes in 3 pages; as stored 16384, in 4 or 5 pages for its address.
    const layout = await layOut(7);
    const plain = layout.denseTiles.reduce((sum, tile) => sum + tile.bufferBytes, 0);
    const share = await samplePacking({ layout, allocate, kernels });
    expect(share).toBeCloseTo((3 * 4096 * layout.denseTiles.length) / plain, 10);
    expect(allocator.live()).toBe(0);
  });

  it('is 1 where exponents are spread too far', async () => {
    const { allocate } = counting();
    expect(await samplePacking({ layout: await layOut(100), allocate, kernels })).toBe(1);
  });
});

function counting() {
  const allocator = new CountingAllocator();
  return { allocate: allocator.allocate, live: () => allocator.liveBytes };
}
