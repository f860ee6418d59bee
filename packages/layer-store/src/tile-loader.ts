// Brings one tile from disk into given memory and accounts for it.

import type { WeightMemory } from '@airllm/backend';
import type { FileReader } from './file-reader.js';
import { isPackable, packTile, type PackedTile, type PackOptions } from './packed-tile.js';
import type { StageStats } from './stats.js';
import type { Tile } from './tile.js';

export interface TileLoaderOptions {
  readonly reader: FileReader;
  /** Per stage. */
  readonly stats: readonly StageStats[];
  /** Makes the values of the parts that ops do not read as they are stored. */
  readonly decode: (tile: Tile, memory: WeightMemory) => Promise<void>;
}

export class TileLoader {
  readonly #written = new WeakSet<WeightMemory>();
  readonly #idleWaiters: (() => void)[] = [];
  /** Tiles that somebody needs soon. */
  #demanded = 0;

  constructor(private readonly options: TileLoaderOptions) {}

  /** True from the first read into the memory on. */
  hasWritten(memory: WeightMemory): boolean {
    return this.#written.has(memory);
  }

  /** Settles when nothing is being read that is needed soon. */
  async whenIdle(): Promise<void> {
    while (this.#demanded > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Settles only when no read of the tile is in flight any more, so that the memory can be reused. */
  async load(tile: Tile, memory: WeightMemory): Promise<void> {
    this.#demanded += 1;
    try {
      await this.loadAside(tile, memory);
    } finally {
      this.#demanded -= 1;
      if (this.#demanded === 0) for (const wake of this.#idleWaiters.splice(0)) wake();
    }
  }

  /** {@link load} of a tile that nobody waits for. */
  async loadAside(tile: Tile, memory: WeightMemory): Promise<void> {
    const { reader, stats, decode } = this.options;
    const fresh = !this.#written.has(memory);
    this.#written.add(memory);
    const started = performance.now();
    try {
      await reader.readAll(tile.reads, memory, { fresh });
    } finally {
      const stage = stats[tile.stage];
      if (stage) {
        stage.readSeconds += (performance.now() - started) / 1000;
        stage.bytesRead += tile.reads.reduce((sum, read) => sum + read.byteLength, 0);
      }
    }
    await decode(tile, memory);
  }

  /** {@link packTile} of a tile that was loaded into `memory`; undefined too where it is not of a kind that can be packed. */
  async pack(tile: Tile, memory: WeightMemory, options: PackOptions): Promise<PackedTile | undefined> {
    const packed = isPackable(tile) ? await packTile(tile, memory, options) : undefined;
    if (packed) this.#written.add(packed.memory);
    return packed;
  }
}
