// Where the memory of dense tiles comes from: on a device and in host memory some stay, the others share a ring of slots.

import type { WeightMemory } from '@airllm/backend';
import type { DeviceTiles } from './device-tiles.js';
import type { PinnedTiles } from './pinned-tiles.js';
import type { Placement } from './placement.js';
import type { TileLoader } from './tile-loader.js';
import type { Tile } from './tile.js';

/** A read of a tile into its memory. */
export interface TileLoad {
  /** Of the ring; undefined for a tile that stays. */
  readonly slot: WeightMemory | undefined;
  readonly onDevice: boolean;
  readonly loading: Promise<WeightMemory>;
}

export class TileMemory {
  #slots: WeightMemory[] = [];
  #freeSlots: WeightMemory[] = [];
  #onDevice: readonly boolean[] = [];

  constructor(
    private readonly options: {
      readonly pinned: PinnedTiles;
      /** Undefined where nothing is placed on one. */
      readonly device: DeviceTiles | undefined;
      readonly allocate: (byteLength: number) => WeightMemory;
      readonly loader: Pick<TileLoader, 'load'>;
    },
  ) {}

  /** Applies a placement: what stays where it is is kept. Nothing may be read into the ring. */
  place(placement: Placement): void {
    const { pinned, device, allocate } = this.options;
    this.#dropSlots();
    this.#onDevice = placement.onDevice;
    device?.keep((index) => placement.onDevice[index] ?? false);
    pinned.place(placement);
    while (this.#slots.length < placement.ringSlots) this.#slots.push(allocate(placement.ringSlotBytes));
    this.#freeSlots = [...this.#slots];
  }

  /** Whether the tile's place is one where tiles stay. */
  stays(index: number): boolean {
    return this.#onDevice[index] || this.options.pinned.has(index);
  }

  /** Whether what was loaded stays where it is. */
  keeps(index: number, { slot, onDevice, memory }: Loaded): boolean {
    if (slot) return false;
    return onDevice ? (this.#onDevice[index] ?? false) : memory === this.options.pinned.memoryOf(index);
  }

  get hasFreeSlot(): boolean {
    return this.#freeSlots.length > 0;
  }

  /** Starts to read a tile to where it is placed; undefined where no memory is free. */
  load(tile: Tile): TileLoad | undefined {
    const { pinned, device, loader } = this.options;
    if (this.#onDevice[tile.index]) {
      if (!device) throw new TypeError('Expected a device for tiles that are placed on it');
      return device.mayLoad ? { slot: undefined, onDevice: true, loading: device.load(tile) } : undefined;
    }
    const slot = pinned.has(tile.index) ? undefined : this.#freeSlots.pop();
    const memory = slot ?? pinned.memoryOf(tile.index);
    if (!memory) return undefined;
    return { slot, onDevice: false, loading: loader.load(tile, memory).then(() => memory) };
  }

  /** Gives a slot of the ring back. */
  free(slot: WeightMemory): void {
    this.#freeSlots.push(slot);
  }

  /** All host memory that is held. */
  *memories(): Iterable<WeightMemory> {
    const { pinned, device } = this.options;
    yield* pinned.memories();
    yield* this.#slots;
    if (device) yield* device.memories();
  }

  /** Gives all memory back. */
  dispose(): void {
    this.#dropSlots();
    this.options.pinned.dispose();
    this.options.device?.keep(() => false);
  }

  #dropSlots(): void {
    for (const slot of this.#slots) slot.dispose();
    this.#slots = [];
    this.#freeSlots = [];
  }
}

type Loaded = Omit<TileLoad, 'loading'> & { readonly memory: WeightMemory | undefined };
