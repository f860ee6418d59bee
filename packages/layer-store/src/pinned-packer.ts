// Packs tiles that stay so that further ones can, one after another beside what else goes on.

import type { WeightMemory } from '@airllm/backend';
import type { PackedTile } from './packed-tile.js';
import type { PinnedTiles } from './pinned-tiles.js';
import type { Tile } from './tile.js';

/** Makes a tile smaller in memory of its own; undefined where it cannot be. */
export type PackTile = (tile: Tile, memory: WeightMemory) => Promise<PackedTile | undefined>;

/** A tile that stays. */
export interface PinnedEntry {
  /** Where it is, once it is there. */
  memory: WeightMemory | undefined;
  /** How the tile lies there, if it is packed. */
  packed: PackedTile | undefined;
  readonly leases: number;
  /** Called at the last release. */
  onFree: (() => void) | undefined;
}

export class PinnedPacker {
  #packing: Promise<void> | undefined;
  #error: Error | undefined;

  constructor(
    private readonly options: {
      tiles: readonly Tile[];
      pinned: PinnedTiles;
      pack: PackTile | undefined;
      /** Undefined while the tile is not in memory. */
      entryOf: (index: number) => PinnedEntry | undefined;
      /** A tile was packed, or cannot be: others may have memory now. */
      onEnd: () => void;
    },
  ) {}

  /** What ended it: tiles stay as they are. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Settles when no tile is being packed. No lease may be held. */
  async settle(): Promise<void> {
    await this.#packing;
  }

  /** Packs the next tile, unless one is being packed or none is left. */
  packNext(): void {
    const { tiles, pinned, pack, entryOf, onEnd } = this.options;
    if (!pack || this.#packing || this.#error) return;
    const index = pinned.takeNextToPack((candidate) => entryOf(candidate) !== undefined);
    const tile = index === undefined ? undefined : tiles[index];
    const entry = tile && entryOf(tile.index);
    const plain = entry?.memory;
    if (!tile || !plain) return;
    const packing = this.#replace(entry, { index: tile.index, packing: pack(tile, plain) })
      .catch((error: unknown) => {
        this.#error = error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => {
        this.#packing = undefined;
        onEnd();
      });
    this.#packing = packing;
  }

  async #replace(
    entry: PinnedEntry,
    { index, packing }: { index: number; packing: ReturnType<PackTile> },
  ): Promise<void> {
    const packed = await packing;
    if (!packed) return;
    while (entry.leases > 0) await new Promise<void>((resolve) => (entry.onFree = resolve));
    entry.onFree = undefined;
    entry.packed = packed;
    entry.memory = packed.memory;
    this.options.pinned.replace(index, packed);
  }
}
