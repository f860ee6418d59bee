// Tiles in the memory of a device. Each is read into host memory, which is given back once the device has its copy: what
// lives on the device takes nothing of the host's budget.

import type { DeviceMemory, WeightMemory } from '@airllm/backend';
import { DEVICE_LOADS } from './placement.js';
import type { TileLoader } from './tile-loader.js';
import type { Tile } from './tile.js';

export interface DeviceTilesOptions {
  readonly allocate: (byteLength: number) => WeightMemory;
  readonly loader: Pick<TileLoader, 'load'>;
  readonly device: Pick<DeviceMemory, 'pin'>;
}

export class DeviceTiles {
  readonly #copies = new Map<number, WeightMemory>();
  readonly #onTheirWay = new Set<WeightMemory>();

  constructor(private readonly options: DeviceTilesOptions) {}

  /** False while as many tiles are on their way as there is host memory for. */
  get mayLoad(): boolean {
    return this.#onTheirWay.size < DEVICE_LOADS;
  }

  /** Host memory that is held now. */
  memories(): Iterable<WeightMemory> {
    return this.#onTheirWay;
  }

  /**
   * Reads a tile and copies it to the device, where it stays until {@link keep}.
   *
   * @throws LayerStoreError `READ_FAILED`; BackendError `OUT_OF_DEVICE_MEMORY`, `OUT_OF_MEMORY`
   */
  async load(tile: Tile): Promise<WeightMemory> {
    const { allocate, loader, device } = this.options;
    const host = allocate(tile.bufferBytes);
    this.#onTheirWay.add(host);
    try {
      await loader.load(tile, host);
      const copy = await device.pin(host);
      this.#copies.set(tile.index, copy);
      return copy;
    } finally {
      this.#onTheirWay.delete(host);
      host.dispose();
    }
  }

  /** Gives the memory of all other tiles back. None may be on its way, or read by a submission. */
  keep(stays: (index: number) => boolean): void {
    for (const [index, copy] of this.#copies) {
      if (stays(index)) continue;
      copy.dispose();
      this.#copies.delete(index);
    }
  }
}
