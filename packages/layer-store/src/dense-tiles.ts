// The tiles every token needs, visited in a cycle. Pinned tiles are read once and stay, on the device or in host memory; the
// others pass through a ring of reusable buffers, read ahead in order and across the end of the cycle.
//
//   step     … 6 7 │ 8 9 10 11 12 …      tile = step mod count
//                  ▲          ▲
//              asked: in use  next: the first step not yet read, at most one cycle ahead

import type { DeviceMemory, WeightMemory } from '@airllm/backend';
import { DeviceTiles } from './device-tiles.js';
import { LayerStoreError } from './errors.js';
import { createLease, type TileLease } from './lease.js';
import { PinnedPacker, type PackTile, type PinnedEntry } from './pinned-packer.js';
import { PinnedTiles } from './pinned-tiles.js';
import type { Placement } from './placement.js';
import type { TileLoader } from './tile-loader.js';
import { TileMemory, type TileLoad } from './tile-memory.js';
import type { Tile } from './tile.js';

/** Tiles read at once: enough for the disk while the pages of some of them are being committed. */
export const READS_IN_FLIGHT = 8;

interface Entry extends PinnedEntry, TileLoad {
  leases: number;
  /** Streamed and handed out: gone at the last release. */
  taken: boolean;
}

export interface DenseTilesOptions {
  allocate: (byteLength: number) => WeightMemory;
  loader: Pick<TileLoader, 'load'>;
  /** Read ahead; otherwise a tile is read when it is asked for. */
  prefetch: boolean;
  /** Absent: tiles stay as they are. */
  pack?: PackTile | undefined;
  /** Needed where the placement has tiles on it. */
  device?: Pick<DeviceMemory, 'pin'> | undefined;
}

export class DenseTiles {
  readonly #entries = new Map<number, Entry>();
  readonly #draining = new Set<Promise<void>>();
  /** Those whose tile is neither in memory nor on its way. */
  readonly #waiters: (() => void)[] = [];
  readonly #pinned: PinnedTiles;
  readonly #packer: PinnedPacker;
  readonly #memory: TileMemory;
  #asked = -1;
  #askedTaken = true;
  #next = 0;
  /** The first step after `next` whose tile may be one that stays and is not yet read. */
  #nextPinned = 0;
  #inFlight = 0;
  #paused = false;
  #closed = false;

  constructor(
    private readonly tiles: readonly Tile[],
    placement: Placement,
    private readonly options: DenseTilesOptions,
  ) {
    const { allocate, loader, pack, device } = options;
    this.#pinned = new PinnedTiles(tiles, { allocate, packs: pack !== undefined });
    this.#memory = new TileMemory({
      ...{ pinned: this.#pinned, allocate, loader },
      device: device && new DeviceTiles({ device, allocate, loader }),
    });
    this.#packer = new PinnedPacker({
      ...{ tiles, pinned: this.#pinned, pack },
      entryOf: (index) => this.#pinnedEntry(index),
      onEnd: () => this.#pump(),
    });
    this.#memory.place(placement);
  }

  /** The tile if it is in memory now. Tiles are asked for in cyclic order; a break in it drops what was read ahead. */
  tryAcquire(index: number): TileLease | undefined {
    this.#ask(index);
    const entry = this.#entries.get(index);
    return entry?.memory && this.#lease(index, entry, entry.memory);
  }

  /** A tile that stays, if it is in memory now, whosever turn it is. */
  tryBorrow(index: number): TileLease | undefined {
    const entry = this.#entries.get(index);
    return entry?.memory && !entry.slot ? this.#lend(index, entry, entry.memory) : undefined;
  }

  /**
   * Waits for the tile. Leases of other tiles must be on their way back, or it may wait for ever.
   *
   * @throws LayerStoreError `READ_FAILED`, `STORE_CLOSED`
   */
  async acquire(index: number): Promise<TileLease> {
    this.#ask(index);
    for (;;) {
      this.#expectOpen();
      const entry = this.#entries.get(index);
      if (entry) {
        const memory = await entry.loading;
        this.#expectOpen();
        return this.#lease(index, entry, entry.memory ?? memory);
      }
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
      this.#request(index);
    }
  }

  /** All host memory that is held. */
  memories(): Iterable<WeightMemory> {
    return this.#memory.memories();
  }

  /** What packing tiles that stay has saved, and the error that ended it if one did. */
  get packing(): { readonly savedBytes: number; readonly error: Error | undefined } {
    return { savedBytes: this.#pinned.savedBytes, error: this.#packer.error };
  }

  /**
   * Applies a new placement between rounds: no lease may be held. Tiles that stay where they are pinned are not read again.
   * Closes when the memory for it cannot be had.
   */
  async replace(placement: Placement): Promise<void> {
    this.#paused = true;
    await this.#settle();
    this.#paused = false;
    try {
      this.#memory.place(placement);
      for (const [index, entry] of this.#entries)
        if (!this.#memory.keeps(index, entry)) this.#entries.delete(index);
    } catch (error) {
      this.#entries.clear();
      await this.close();
      throw error;
    }
    this.#next = this.#asked + 1;
    this.#nextPinned = this.#next;
  }

  /** Waits for reads in flight and gives all memory back. No lease may be held. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const wake of this.#waiters.splice(0)) wake();
    await this.#settle();
    this.#entries.clear();
    this.#memory.dispose();
  }

  #ask(index: number): void {
    const count = this.tiles.length;
    const isRepeat = !this.#askedTaken && index === this.#asked % count;
    if (!isRepeat) {
      const skipped = (index - ((this.#asked + 1) % count) + count) % count;
      this.#asked += 1 + skipped;
      this.#askedTaken = false;
      if (skipped > 0) this.#dropReadAhead();
    }
    this.#request(index);
  }

  /** Has the asked tile read first if it is absent: after a failed read others may have its memory. */
  #request(index: number): void {
    if (!this.#entries.has(index)) {
      this.#next = this.#asked;
      if (!this.#memory.hasFreeSlot) this.#dropReadAhead();
    }
    this.#pump();
  }

  #dropReadAhead(): void {
    this.#next = this.#asked;
    const dropped = [...this.#entries].filter(([, entry]) => entry.slot && !entry.taken);
    for (const [index] of dropped) this.#entries.delete(index);
    for (const [, entry] of dropped) this.#free(entry);
  }

  /** A read ended or memory came free. */
  #advance(): void {
    for (const wake of this.#waiters.splice(0)) wake();
    this.#pump();
  }

  /** Starts reads from `next` on while memory is free and the cycle is not full. */
  #pump(): void {
    const furthest = this.options.prefetch
      ? this.#asked + this.tiles.length - (this.#askedTaken ? 0 : 1)
      : this.#asked;
    while (this.#mayRead() && this.#next <= furthest) {
      if (!this.#schedule(this.#next % this.tiles.length)) break;
      this.#next += 1;
    }
    // Where the ring is full, tiles that stay are read meanwhile: their memory is their own.
    this.#nextPinned = Math.max(this.#nextPinned, this.#next);
    while (this.#mayRead() && this.#nextPinned <= furthest) {
      const index = this.#nextPinned % this.tiles.length;
      if (this.#memory.stays(index) && !this.#schedule(index)) break;
      this.#nextPinned += 1;
    }
    // Not in the first round: it reads what stays, and somebody waits for its token.
    if (!this.#closed && !this.#paused && this.#asked >= this.tiles.length) this.#packer.packNext();
  }

  #mayRead(): boolean {
    return !this.#closed && !this.#paused && this.#inFlight < READS_IN_FLIGHT;
  }

  /** False when the tile has to wait: for memory, or for the release of its last use. */
  #schedule(index: number): boolean {
    const present = this.#entries.get(index);
    if (present) return !present.slot || !present.taken;
    const tile = this.tiles[index];
    if (!tile) throw new RangeError(`Expected a tile below ${this.tiles.length} but received ${index}`);
    const started = this.#memory.load(tile);
    if (!started) return false;
    this.#inFlight += 1;
    const loading = started.loading.finally(() => (this.#inFlight -= 1));
    const entry: Entry = {
      ...{ slot: started.slot, onDevice: started.onDevice, loading, memory: undefined, packed: undefined },
      ...{ leases: 0, onFree: undefined, taken: false },
    };
    this.#entries.set(index, entry);
    loading.then(
      (memory) => {
        entry.memory = memory;
        this.#advance();
      },
      () => {
        if (this.#entries.get(index) === entry) this.#discard(index, entry);
      },
    );
    return true;
  }

  #lease(index: number, entry: Entry, memory: WeightMemory): TileLease {
    entry.taken = true;
    this.#askedTaken = true;
    return this.#lend(index, entry, memory);
  }

  #lend(index: number, entry: Entry, memory: WeightMemory): TileLease {
    entry.leases += 1;
    return createLease({
      tile: index,
      isStreamed: () => entry.slot !== undefined,
      memory,
      packed: entry.packed,
      onRelease: () => {
        entry.leases -= 1;
        if (entry.leases > 0) return;
        if (entry.slot) this.#discard(index, entry);
        entry.onFree?.();
      },
    });
  }

  /** Undefined unless it stays in host memory and is there. */
  #pinnedEntry(index: number): PinnedEntry | undefined {
    const entry = this.#entries.get(index);
    return entry?.memory && !entry.slot && !entry.onDevice ? entry : undefined;
  }

  /** Forgets a streamed or failed tile. */
  #discard(index: number, entry: Entry): void {
    this.#entries.delete(index);
    this.#free(entry);
  }

  /** Gives the memory of a forgotten tile back, once no read is in flight. */
  #free(entry: Entry): void {
    const free = (): void => {
      if (entry.slot) this.#memory.free(entry.slot);
      this.#advance();
    };
    if (entry.memory) return free();
    const drained = entry.loading
      .catch(() => undefined)
      .then(() => {
        this.#draining.delete(drained);
        free();
      });
    this.#draining.add(drained);
  }

  #expectOpen(): void {
    if (!this.#closed) return;
    throw new LayerStoreError('STORE_CLOSED', 'The layer store was closed while a tile was awaited');
  }

  async #settle(): Promise<void> {
    await this.#packer.settle();
    while (this.#inFlight > 0 || this.#draining.size > 0) {
      await Promise.allSettled([...this.#entries.values()].map((entry) => entry.loading));
      await Promise.allSettled(this.#draining);
    }
  }
}
