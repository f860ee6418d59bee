// Brings one tile from disk into given memory and accounts for it.

import type { WeightMemory } from '@airllm/backend';
import type { FileReader } from './file-reader.js';
import type { StageStats } from './stats.js';
import type { Tile } from './tile.js';

export class TileLoader {
  constructor(
    private readonly reader: FileReader,
    private readonly stats: readonly StageStats[],
  ) {}

  /** Settles only when no read of the tile is in flight any more, so that the memory can be reused. */
  async load(tile: Tile, memory: WeightMemory): Promise<void> {
    const started = performance.now();
    const results = await Promise.allSettled(tile.reads.map((read) => this.reader.read({ ...read, memory })));
    const stats = this.stats[tile.stage];
    if (stats) {
      stats.readSeconds += (performance.now() - started) / 1000;
      stats.bytesRead += tile.reads.reduce((sum, read) => sum + read.byteLength, 0);
    }
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }
}
