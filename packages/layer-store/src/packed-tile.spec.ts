import { weightRows } from '@airllm/backend/reference';
import { openKernels } from '@airllm/quantizer';
import { CountingAllocator, createRandom } from '../test/support.js';
import { isPackable, packTile } from './packed-tile.js';
import { layOutStore, type StoreLayout } from './store-layout.js';

const kernels = openKernels({ threads: 1 });
const SHAPES = { first: [60, 150], second: [7, 64] } as const;

/** One tile of two matrices of which `dtype` is said. */
function layOut(dtype: 'BF16' | 'F16' = 'BF16'): StoreLayout {
  const tensors = new Map(
    Object.entries({ ...SHAPES, table: [4, 64] }).map(([name, shape], i) => {
      const byteLength = 2 * (shape[0] ?? 0) * (shape[1] ?? 0);
      return [name, { name, dtype, shape, path: name, byteOffset: 3 * i, byteLength }];
    }),
  );
  const weights = Object.entries(SHAPES).map(([name, shape]) => ({ name, shape }));
  const embedding = { name: 'table', shape: [4, 64] };
  return layOutStore({ stages: [{ name: 'layer', weights }], embedding, tensors, tileBytes: 2 ** 20 });
}

/** The layout's tile in memory, its weights' bytes from `bits`. */
function load(layout: StoreLayout, allocator: CountingAllocator, bits: () => number) {
  const [tile] = layout.denseTiles;
  if (!tile) throw new Error('Expected a tile');
  const memory = allocator.allocate(tile.bufferBytes);
  const view = new DataView(memory.bytes.buffer);
  for (const { bufferOffset, rowCount, weight } of tile.parts)
    for (let i = 0; i < rowCount * weight.cols; i++) view.setUint16(bufferOffset + 2 * i, bits(), true);
  return { tile, memory };
}

/** bfloat16 of about normal values, with every exponent now and then, infinities and NaN included. */
function weightBits(): () => number {
  const random = createRandom(3);
  return () => {
    if (random.chance(0.02)) return random.int(0, 0xffff);
    const exponent = 120 - Math.min(20, random.int(1, 2) * random.int(0, 3));
    return (random.int(0, 1) << 15) | (exponent << 7) | random.int(0, 127);
  };
}

describe('packTile', () => {
  it('keeps every bit in fewer bytes', async () => {
    const allocator = new CountingAllocator();
    const layout = layOut();
    const { tile, memory } = load(layout, allocator, weightBits());
    const packed = await packTile(tile, memory, { kernels, allocate: allocator.allocate });
    expect(packed?.memory.byteLength).toBeLessThan(0.9 * tile.bufferBytes);
    for (const part of tile.parts) {
      const slice = packed?.slice(part);
      if (!slice) throw new Error('Expected a packed tile');
      const { rowCount: rows, bufferOffset: byteOffset } = part;
      const { cols } = part.weight;
      const plain = weightRows({ memory, byteOffset, dtype: 'bf16', rows, cols });
      const unpacked = weightRows(slice);
      for (let row = 0; row < rows; row++)
        expect(new Uint32Array(unpacked(row).buffer)).toEqual(new Uint32Array(plain(row).buffer));
    }
  });

  it('leaves what would hardly shrink as it is, and holds nothing for it', async () => {
    const allocator = new CountingAllocator();
    const random = createRandom(5);
    const { tile, memory } = load(layOut(), allocator, () => random.int(0, 0xffff));
    expect(await packTile(tile, memory, { kernels, allocate: allocator.allocate })).toBeUndefined();
    expect(allocator.liveBytes).toBe(tile.bufferBytes);
  });

  it('holds nothing after a failure', async () => {
    const allocator = new CountingAllocator();
    const { tile, memory } = load(layOut(), allocator, weightBits());
    const failing = { ...kernels, encodeLossless: () => Promise.resolve(false) };
    const packing = packTile(tile, memory, { kernels: failing, allocate: allocator.allocate });
    await expect(packing).rejects.toThrow('more escapes');
    expect(allocator.liveBytes).toBe(tile.bufferBytes);
  });
});

it('only plain bfloat16 can be packed', () => {
  expect(layOut().denseTiles.map(isPackable)).toEqual([true]);
  expect(layOut('F16').denseTiles.map(isPackable)).toEqual([false]);
});
