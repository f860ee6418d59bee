// The memory of dense tiles that stay: which tiles those are under a number of bytes, and how there come to be more of
// them once some were packed.

import type { WeightMemory } from '@airllm/backend';
import type { PackedTile } from './packed-tile.js';
import { spreadOrder, type Placement } from './placement.js';
import type { Tile } from './tile.js';

interface Held {
  readonly memory: WeightMemory;
  readonly packed: PackedTile | undefined;
  /** Packing was tried, or is about to be. */
  tried: boolean;
}

export interface PinnedTilesOptions {
  allocate: (byteLength: number) => WeightMemory;
  /** Tiles may be packed: room for one more is kept then, since for a moment a tile is there twice. */
  packs: boolean;
}

/** With fewer tiles than these, packing would gain little more than the room that it needs. */
const FEWEST_TO_PACK = 8;

export class PinnedTiles {
  /** Taken before the first read: mapping memory while reads fault pages in would hold the caller up. */
  readonly #held = new Map<number, Held>();
  /** In which tiles stay: always the first ones for which there is room. */
  #order: readonly number[] = [];
  /** How many of them have memory. */
  #staying = 0;
  #roomBytes = 0;
  #packs = false;
  /** None of `#order` before it is to be packed. */
  #nextToPack = 0;

  constructor(
    private readonly tiles: readonly Tile[],
    private readonly options: PinnedTilesOptions,
  ) {}

  /** Gives up what no longer fits, then takes memory for what does; when that cannot be had, what was taken stays. */
  place({ onDevice, pinned, pinnedBytes }: Placement): void {
    const spread = spreadOrder(this.tiles.length).filter((index) => !onDevice[index]);
    this.#order = [...spread.filter((index) => pinned[index]), ...spread.filter((index) => !pinned[index])];
    const largestBytes = this.tiles.reduce((most, tile) => Math.max(most, tile.bufferBytes), 0);
    const isAll = spread.every((index) => pinned[index]);
    this.#packs = this.options.packs && !isAll && pinnedBytes >= FEWEST_TO_PACK * largestBytes;
    this.#nextToPack = 0;
    this.#roomBytes = pinnedBytes - (this.#packs ? largestBytes : 0);
    const staying = new Set<number>();
    for (const index of this.#order) {
      const bytes = this.#held.get(index)?.memory.byteLength ?? this.tiles[index]?.bufferBytes ?? 0;
      if (bytes > this.#roomBytes) break;
      this.#roomBytes -= bytes;
      staying.add(index);
    }
    for (const index of [...this.#held.keys()]) if (!staying.has(index)) this.#drop(index);
    for (const index of staying) if (!this.#held.has(index)) this.#take(index);
    this.#staying = staying.size;
  }

  has(index: number): boolean {
    return this.#held.has(index);
  }

  memoryOf(index: number): WeightMemory | undefined {
    return this.#held.get(index)?.memory;
  }

  /** How the tile lies in its memory; undefined where it is as stored. */
  packedOf(index: number): PackedTile | undefined {
    return this.#held.get(index)?.packed;
  }

  /** A tile that packing was not tried with and that `isReady`, the first in order; undefined too where every tile stays. */
  takeNextToPack(isReady: (index: number) => boolean): number | undefined {
    if (!this.#packs || this.#staying === this.#order.length) return undefined;
    for (; this.#nextToPack < this.#staying; this.#nextToPack += 1) {
      const index = this.#order[this.#nextToPack] ?? 0;
      const held = this.#held.get(index);
      if (!held || held.tried) continue;
      if (!isReady(index)) return undefined;
      held.tried = true;
      return index;
    }
    return undefined;
  }

  /** Has the packed tile take the place of the plain one, whose memory is given back, and takes more tiles. */
  replace(index: number, packed: PackedTile): void {
    const plain = this.#held.get(index)?.memory;
    if (!plain) throw new RangeError(`Expected a tile that stays but received ${index}`);
    this.#held.set(index, { memory: packed.memory, packed, tried: true });
    this.#roomBytes += plain.byteLength - packed.memory.byteLength;
    plain.dispose();
    this.#fill();
  }

  /** All memory that is held. */
  *memories(): Iterable<WeightMemory> {
    for (const { memory } of this.#held.values()) yield memory;
  }

  /** Bytes that packing has saved so far. */
  get savedBytes(): number {
    let saved = 0;
    for (const [index, { memory, packed }] of this.#held)
      if (packed) saved += (this.tiles[index]?.bufferBytes ?? 0) - memory.byteLength;
    return saved;
  }

  dispose(): void {
    for (const index of [...this.#held.keys()]) this.#drop(index);
    this.#staying = 0;
  }

  #fill(): void {
    for (;;) {
      const index = this.#order[this.#staying];
      const bytes = index === undefined ? undefined : this.tiles[index]?.bufferBytes;
      // A smaller tile further on might fit, but then a larger budget could drop what a smaller one kept.
      if (index === undefined || bytes === undefined || bytes > this.#roomBytes) return;
      this.#take(index);
      this.#roomBytes -= bytes;
      this.#staying += 1;
    }
  }

  #take(index: number): void {
    const memory = this.options.allocate(this.tiles[index]?.bufferBytes ?? 0);
    this.#held.set(index, { memory, packed: undefined, tried: false });
  }

  #drop(index: number): void {
    this.#held.get(index)?.memory.dispose();
    this.#held.delete(index);
  }
}
