// What packing would make of a model's dense tiles, found by packing some of them.

import type { WeightMemory } from '@airllm/backend';
import { FileReader } from './file-reader.js';
import { isPackable, packTile, type LosslessKernels } from './packed-tile.js';
import { spreadOrder } from './placement.js';
import type { StoreLayout } from './store-layout.js';

/** From all over the model; rows of one kind of matrix shrink alike. */
const TILES = 8;

/**
 * Packed bytes ÷ bytes of the dense tiles; those that cannot be packed count as they are.
 *
 * @param options.allocate memory for two tiles, given back before this settles
 * @throws LayerStoreError `READ_FAILED`
 */
export async function samplePacking(options: {
  layout: StoreLayout;
  allocate: (byteLength: number) => WeightMemory;
  kernels: LosslessKernels;
}): Promise<number> {
  const { layout, allocate, kernels } = options;
  const { denseTiles } = layout;
  const sample = spreadOrder(denseTiles.length).slice(0, TILES);
  const reader = new FileReader();
  const memory = allocate(denseTiles.reduce((most, { bufferBytes }) => Math.max(most, bufferBytes), 1));
  let [plainBytes, packedBytes] = [0, 0];
  try {
    for (const index of sample) {
      const tile = denseTiles[index];
      if (!tile) continue;
      await reader.readAll(tile.reads, memory);
      const packed = isPackable(tile) ? await packTile(tile, memory, { kernels, allocate }) : undefined;
      plainBytes += tile.bufferBytes;
      packedBytes += packed?.memory.byteLength ?? tile.bufferBytes;
      packed?.memory.dispose();
    }
  } finally {
    memory.dispose();
    await reader.close();
  }
  return plainBytes === 0 ? 1 : packedBytes / plainBytes;
}
