// The tiles of routed experts: read only when a token names the expert, kept in a cache of equal slots
// until one has to make room: the one with the least use (see expert-heat.ts).
//
// What was read passes through unless it has more use than the tile whose place it would take: the latest to pass are the first
// to make room. So rare experts go round in a few slots, and disks write faster to memory that is in the processor's caches.

import type { WeightMemory } from '@airllm/backend';
import { ColdQueue } from './cold-queue.js';
import { LayerStoreError } from './errors.js';
import { ExpertHeat } from './expert-heat.js';
import { createLease, type TileLease } from './lease.js';
import type { TileLoader } from './tile-loader.js';
import type { Tile } from './tile.js';

/** How many more uses a tile needs than the one whose place it takes. */
const ADMISSION_MARGIN = 0.5;
/** Tiles that pass at once; the longest of more than these stays until it has the least use. */
const MOST_PASSING = 12;
/**
 * Tiles that are read because they were foreseen: what a disk reads between the last read of one layer and the first of the
 * next. More would hold the next layer's up where the foresight was wrong.
 */
const MOST_FORESEEN = 3;
/** Few, so that a read that is needed does not wait for long. */
const WARM_READS_IN_FLIGHT = 2;

interface Entry {
  readonly memory: WeightMemory;
  readonly loading: Promise<void>;
  loaded: boolean;
  leases: number;
}

export class ExpertTiles {
  readonly #entries = new Map<number, Entry>();
  readonly #heat = new ExpertHeat();
  /** Those in memory that stay. */
  readonly #cold = new ColdQueue();
  /** The others, in order of reading. */
  readonly #passing = new Set<number>();
  readonly #slotWaiters: (() => void)[] = [];
  #slots: WeightMemory[] = [];
  #freeSlots: WeightMemory[] = [];
  /** Tiles that will be asked for, in order: read ahead as slots allow, never evicted for each other. */
  #expected = new Set<number>();
  /** Tiles that will probably be asked for after those, read or being read. */
  readonly #foreseen = new Set<number>();
  /** An expected tile found no slot. */
  #starved = false;
  /** Of the tiles expected last: an earlier one or the same begins the next pass. */
  #stage = Infinity;
  #resizing: Promise<void> | undefined;
  #closed = false;

  constructor(
    private readonly tiles: ReadonlyMap<number, Tile>,
    private readonly options: {
      allocate: (byteLength: number) => WeightMemory;
      loader: Pick<TileLoader, 'load' | 'loadAside' | 'whenIdle'>;
      /** A tile was read because it was foreseen, and its layer did not want it. */
      onWasted: (index: number) => void;
    },
  ) {}

  /** Sets the number of slots. No lease may be held; a smaller cache drops what it would have dropped next. */
  async resize(slots: number, slotBytes: number): Promise<void> {
    this.#resizing = this.#resize(slots, slotBytes);
    try {
      await this.#resizing;
    } finally {
      this.#resizing = undefined;
    }
  }

  async #resize(slots: number, slotBytes: number): Promise<void> {
    this.#expected.clear();
    this.#foreseen.clear();
    if (slots < this.#slots.length) await this.#settle();
    while (this.#slots.length > slots) this.#dropSlot();
    while (this.#slots.length < slots) {
      const slot = this.options.allocate(slotBytes);
      this.#slots.push(slot);
      this.#freeSlots.push(slot);
    }
  }

  /** All memory that is held. */
  memories(): Iterable<WeightMemory> {
    return this.#slots;
  }

  /** Announces the tiles of a layer's routed experts, in the order they will be asked for. */
  expect(indices: Iterable<number>): void {
    this.#expected = new Set(indices);
    for (const index of this.#foreseen) if (!this.#expected.has(index)) this.options.onWasted(index);
    this.#foreseen.clear();
    const [first = -1] = this.#expected;
    const stage = this.tiles.get(first)?.stage ?? this.#stage;
    if (stage <= this.#stage) this.#heat.nextPass();
    this.#stage = stage;
    this.#pump();
  }

  /** Says which tiles will probably be expected next, the likeliest first: the first few that are missing are read. */
  foresee(indices: Iterable<number>): void {
    if (this.#starved) return;
    for (const index of indices) {
      if (this.#closed || this.#foreseen.size >= MOST_FORESEEN) return;
      if (this.#entries.has(index)) continue;
      if (!this.#startRead(index, { mayEvict: this.#isFree })) return;
      this.#foreseen.add(index);
    }
  }

  /** Whether the tile is in memory now. */
  holds(index: number): boolean {
    return this.#entries.get(index)?.loaded ?? false;
  }

  /** Uses of a tile, of which one counts half after some passes. */
  usesOf(index: number): number {
    return this.#heat.usesOf(index);
  }

  /**
   * Counts uses of earlier runs, and reads these tiles in order while nothing else is being read and slots are free. Settles when
   * no slot is; a read that fails ends it, since who needs the tile will hear of it.
   */
  async warm(used: readonly { tile: number; uses: number }[]): Promise<void> {
    for (const { tile, uses } of used) this.#heat.remember(tile, uses);
    const waiting = used.values();
    const lanes = Array.from({ length: WARM_READS_IN_FLIGHT }, async () => {
      for (const { tile } of waiting) {
        await this.#whenQuiet();
        if (this.#closed || this.#freeSlots.length === 0) return;
        if (this.#entries.has(tile)) continue;
        await this.#startRead(tile, { mayEvict: () => false, aside: true })?.loading;
        if (this.#passing.has(tile)) this.#stay(tile);
      }
    });
    await Promise.allSettled(lanes);
  }

  tryAcquire(index: number): TileLease | undefined {
    const entry = this.#entries.get(index);
    return entry?.loaded ? this.#lease(index, entry) : undefined;
  }

  /** Waits for the tile. Leases of other tiles must be on their way back, or it may wait for ever. */
  async acquire(index: number): Promise<TileLease> {
    for (;;) {
      this.#expectOpen();
      const entry =
        this.#entries.get(index) ??
        this.#startRead(index, { mayEvict: this.#isFree }) ??
        this.#startRead(index, { mayEvict: () => true });
      if (entry) {
        await entry.loading;
        this.#expectOpen();
        return this.#lease(index, entry);
      }
      await new Promise<void>((resolve) => this.#slotWaiters.push(resolve));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const wake of this.#slotWaiters.splice(0)) wake();
    await this.#settle();
    for (const slot of this.#slots) slot.dispose();
    this.#entries.clear();
    this.#slots = [];
    this.#freeSlots = [];
  }

  async #whenQuiet(): Promise<void> {
    do {
      await this.options.loader.whenIdle();
      await this.#resizing?.catch(() => undefined);
    } while (this.#resizing);
  }

  #pump(): void {
    this.#starved = false;
    for (const index of this.#expected) {
      if (this.#closed) return;
      if (this.#entries.has(index)) continue;
      this.#starved = !this.#startRead(index, { mayEvict: this.#isFree });
      if (this.#starved) return;
    }
  }

  /** Nobody waits for it. */
  readonly #isFree = (index: number): boolean => !this.#expected.has(index) && !this.#foreseen.has(index);

  #startRead(
    index: number,
    { mayEvict, aside = false }: { mayEvict: (candidate: number) => boolean; aside?: boolean },
  ): Entry | undefined {
    const tile = this.tiles.get(index);
    if (!tile) throw new RangeError(`Expected an expert tile but received ${index}`);
    const memory = this.#freeSlots.pop() ?? this.#evict(mayEvict);
    if (!memory) return undefined;
    const { loader } = this.options;
    const loading = aside ? loader.loadAside(tile, memory) : loader.load(tile, memory);
    const entry: Entry = { memory, loading, loaded: false, leases: 0 };
    this.#entries.set(index, entry);
    loading.then(
      () => {
        entry.loaded = true;
        this.#pass(index);
        this.#slotWaiters.shift()?.();
      },
      () => {
        this.#entries.delete(index);
        this.#freeSlots.push(memory);
        this.#slotWaiters.shift()?.();
      },
    );
    return entry;
  }

  #evict(mayEvict: (candidate: number) => boolean): WeightMemory | undefined {
    const may = (candidate: number): boolean => {
      const isLent = (this.#entries.get(candidate)?.leases ?? 0) > 0;
      return !isLent && mayEvict(candidate);
    };
    const index = [...this.#passing].reverse().find(may) ?? this.#cold.take(may);
    if (index === undefined) return undefined;
    const memory = this.#entries.get(index)?.memory;
    this.#entries.delete(index);
    this.#passing.delete(index);
    return memory;
  }

  #pass(index: number): void {
    this.#passing.add(index);
    const [longest = index] = this.#passing;
    if (this.#passing.size > MOST_PASSING) this.#stay(longest);
  }

  #stay(index: number): void {
    this.#passing.delete(index);
    this.#cold.set(index, this.#heat.of(index));
  }

  #use(index: number): void {
    this.#heat.use(index);
    if (!this.#passing.has(index) || this.#isAdmitted(index)) this.#stay(index);
  }

  #isAdmitted(index: number): boolean {
    const rival = this.#cold.coldest();
    if (this.#freeSlots.length > 0 || rival === undefined) return true;
    return this.#heat.usesOf(index) >= this.#heat.usesOf(rival) + ADMISSION_MARGIN;
  }

  #lease(index: number, entry: Entry): TileLease {
    entry.leases += 1;
    this.#use(index);
    this.#expected.delete(index);
    return createLease({
      tile: index,
      isStreamed: () => this.#starved,
      memory: entry.memory,
      onRelease: () => {
        entry.leases -= 1;
        if (entry.leases > 0) return;
        this.#slotWaiters.shift()?.();
        this.#pump();
      },
    });
  }

  #dropSlot(): void {
    const memory = this.#freeSlots.pop() ?? this.#evict(() => true);
    if (!memory) throw new RangeError('Expected no lease to be held while the cache shrinks');
    this.#slots.splice(this.#slots.indexOf(memory), 1);
    memory.dispose();
  }

  #expectOpen(): void {
    if (!this.#closed) return;
    throw new LayerStoreError('STORE_CLOSED', 'The layer store was closed while an expert was awaited');
  }

  async #settle(): Promise<void> {
    await Promise.allSettled([...this.#entries.values()].map((entry) => entry.loading));
  }
}
