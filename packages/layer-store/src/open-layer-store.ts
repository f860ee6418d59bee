// Opening a store: all of its memory and all that always stays, or nothing.

import type { WeightMemory } from '@airllm/backend';
import { LayerStore, type LayerStoreOptions } from './layer-store.js';

/**
 * Opens the store: takes memory for what always stays and reads that; tiles are read when the first
 * pass comes to them.
 *
 * @throws LayerStoreError `BUDGET_TOO_SMALL`, `READ_FAILED`; `UNSUPPORTED_DTYPE` where what stands beside packed weights
 * contradicts their headers
 */
export async function openLayerStore(options: LayerStoreOptions): Promise<LayerStore> {
  const store = construct(options);
  try {
    await store.readResidents();
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
  return store;
}

/** A store that could not get all of its memory gives back what it got. */
function construct(options: LayerStoreOptions): LayerStore {
  let taken: WeightMemory[] | undefined = [];
  const allocate = (byteLength: number): WeightMemory => {
    const memory = options.allocate(byteLength);
    taken?.push(memory);
    return memory;
  };
  try {
    return new LayerStore({ ...options, allocate });
  } catch (error) {
    for (const memory of taken) memory.dispose();
    throw error;
  } finally {
    taken = undefined;
  }
}
