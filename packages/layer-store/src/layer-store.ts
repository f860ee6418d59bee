// Where weights live and when they are read: the one object that the runner asks for tiles, vectors and
// embedding rows. It reads the checkpoint's own files in place and holds at most its budget.

import type { DeviceMemory, WeightMemory, WeightSlice } from '@airllm/backend';
import { weightRows } from '@airllm/backend/reference';
import type { OpenReadQueueOptions } from '@airllm/direct-io';
import { DenseTiles } from './dense-tiles.js';
import { ExpertTiles } from './expert-tiles.js';
import { listExpertUses, tilesOfUses, type ExpertUse } from './expert-uses.js';
import { FileReader, type ReadingStatus } from './file-reader.js';
import type { TileLease } from './lease.js';
import { isPackable, type LosslessKernels } from './packed-tile.js';
import type { PackTile } from './pinned-packer.js';
import { minimumStoreBytes, placeStore, type StorePlacement } from './place-store.js';
import { ResidentWeights } from './resident-weights.js';
import { RowReader, ROWS_PER_READ } from './row-reader.js';
import { createStageStats, type StageStats } from './stats.js';
import type { StoreLayout } from './store-layout.js';
import { TileLoader } from './tile-loader.js';
import { TileSlices } from './tile-slices.js';
import type { TileKind, TilePart } from './tile.js';

export interface LayerStoreOptions {
  layout: StoreLayout;
  /** Everything the store may hold of the host's memory; at least `minimumStoreBytes`. */
  budgetBytes: number;
  /** A device with memory of its own, and what weights may take of it. Default none. */
  device?: { readonly memory: Pick<DeviceMemory, 'pin'>; readonly budgetBytes: number } | undefined;
  /** Memory that ops can read, such as `backend.allocateWeights`. */
  allocate: (byteLength: number) => WeightMemory;
  /** Read tiles before they are asked for, also across the end of a pass. Default true. */
  prefetch?: boolean;
  /**
   * Keeps bfloat16 that stays in memory in about 0.7 of its bytes, bit for bit, so that more of the model can stay. Needs ops that
   * read `bf16z`; not done where a device has memory of its own. Default: as stored.
   */
  lossless?: LosslessKernels | undefined;
  /** How reads are made. Default: the best this machine has. */
  reads?: OpenReadQueueOptions;
}

export class LayerStore implements AsyncDisposable {
  readonly stats: readonly StageStats[];
  readonly embeddingStats = createStageStats('embedding');
  /** Whether anything is read before it is asked for. */
  readonly prefetches: boolean;
  readonly #layout: StoreLayout;
  readonly #reader: FileReader;
  readonly #loader: TileLoader;
  readonly #dense: DenseTiles;
  readonly #experts: ExpertTiles;
  readonly #rows: RowReader;
  readonly #residents: ResidentWeights;
  readonly #slices: TileSlices;
  readonly #residentMemory: WeightMemory;
  /** Residents come through it when the store is opened, embedding rows afterwards. */
  readonly #staging: WeightMemory;
  readonly #device: Pick<DeviceMemory, 'pin'> | undefined;
  #placement: StorePlacement;
  #budgetBytes: number;
  #deviceBudgetBytes: number;
  #closing: Promise<void> | undefined;

  /** @internal Use `openLayerStore`. */
  constructor(options: LayerStoreOptions) {
    const { layout, allocate, prefetch = true, lossless, reads, device } = options;
    this.#reader = new FileReader(reads);
    this.#layout = layout;
    this.prefetches = prefetch;
    this.#device = device?.memory;
    this.#budgetBytes = options.budgetBytes;
    this.#deviceBudgetBytes = device?.budgetBytes ?? 0;
    this.#placement = this.#place(this.#budgetBytes, this.#deviceBudgetBytes);
    this.stats = layout.stageNames.map(createStageStats);
    this.#loader = new TileLoader({
      reader: this.#reader,
      stats: this.stats,
      decode: (tile, memory) => this.#slices.decode(tile, memory),
    });
    const loader = this.#loader;
    const kernels = !device && layout.denseTiles.some(isPackable) ? lossless : undefined;
    const pack: PackTile | undefined =
      kernels && ((tile, memory) => loader.pack(tile, memory, { kernels, allocate }));
    this.#dense = new DenseTiles(layout.denseTiles, this.#placement, {
      ...{ allocate, loader, prefetch, pack },
      device: this.#device,
    });
    this.#experts = new ExpertTiles(layout.expertTiles, {
      allocate,
      loader,
      onWasted: (tile) => this.#countWasted(tile),
    });
    this.#staging = allocate(layout.stagingBytes);
    this.#rows = new RowReader(layout.embedding, this.#reader, this.#staging);
    this.#residentMemory = allocate(Math.max(layout.residents.byteLength, 1));
    this.#residents = new ResidentWeights(layout, this.#residentMemory);
    this.#slices = new TileSlices(this.#residents);
  }

  get placement(): StorePlacement {
    return this.#placement;
  }

  /** What the store was last told it may hold of the host's memory. */
  get budgetBytes(): number {
    return this.#budgetBytes;
  }

  /** And of the device's. */
  get deviceBudgetBytes(): number {
    return this.#deviceBudgetBytes;
  }

  /** The smallest `budgetBytes` it can work with. */
  get minimumBytes(): number {
    return minimumStoreBytes(this.#layout, { onDevice: this.#device !== undefined });
  }

  /** Host memory that reads have come to, or are on their way to; the rest is reserved but not committed. */
  get writtenBytes(): number {
    let bytes = this.#layout.fixedBytes;
    for (const memory of [...this.#dense.memories(), ...this.#experts.memories()])
      if (this.#loader.hasWritten(memory)) bytes += memory.bytes.length;
    return bytes;
  }

  /** Bytes that packing tiles which stay has saved so far, and the error that ended it if one did. */
  get packing(): { readonly savedBytes: number; readonly error: Error | undefined } {
    return this.#dense.packing;
  }

  /** Seconds since the store was opened in which no read was in flight. */
  get idleSeconds(): number {
    return this.#reader.idleSeconds;
  }

  /** Why reads go through the page cache; undefined when they are direct. */
  get bufferedReason(): string | undefined {
    return this.#reader.bufferedReason;
  }

  /** What reads. */
  get reading(): ReadingStatus {
    return this.#reader.status;
  }

  /**
   * Looks at the files that were read since the last time.
   *
   * @throws LayerStoreError `FILE_CHANGED` for one that was replaced or written to since it was opened
   */
  expectFilesUnchanged(): Promise<void> {
    return this.#reader.expectUnchanged();
  }

  /** A vector of the model: norm or bias. Always in memory. */
  vector(name: string): WeightSlice {
    return this.#residents.forOps(this.#residents.vector(name));
  }

  /** The values of a vector, for the host. */
  vectorValues(name: string): Float32Array {
    return weightRows(this.#residents.vector(name))(0);
  }

  /** The rows of `part`, which must be a part of the leased tile. */
  slice(lease: TileLease, part: TilePart): WeightSlice {
    return this.#slices.slice(lease, part);
  }

  /** The tiles that hold a matrix, in order of its rows. */
  parts(name: string): readonly TilePart[] {
    const parts = this.#layout.parts.get(name);
    if (!parts) throw new RangeError(`Expected a matrix of this model but received ${name}`);
    return parts;
  }

  /** Dense tiles are visited in a cycle, expert tiles as routed. */
  kindOf(tile: number): TileKind {
    return tile < this.#layout.denseTiles.length ? 'dense' : 'expert';
  }

  /** The tile if it is in memory now; see {@link acquire}. */
  tryAcquire(tile: number): TileLease | undefined {
    const lease = this.#tilesOf(tile).tryAcquire(tile);
    if (lease) this.#statsOf(tile).hits += 1;
    return lease;
  }

  /** A dense tile out of its turn, if it is in memory to stay. */
  tryBorrow(tile: number): TileLease | undefined {
    return this.#dense.tryBorrow(tile);
  }

  /**
   * Waits for a tile. Dense tiles are asked for in order of use, round by round; expert tiles as routed.
   *
   * @throws LayerStoreError `READ_FAILED` naming file and offset; the store stays usable
   */
  async acquire(tile: number): Promise<TileLease> {
    const stats = this.#statsOf(tile);
    const started = performance.now();
    const lease = await this.#tilesOf(tile).acquire(tile);
    stats.waitSeconds += (performance.now() - started) / 1000;
    stats.misses += 1;
    return lease;
  }

  /** Whether all of these weights of an expert are in memory now. */
  holdsExpert(weights: readonly string[]): boolean {
    return weights.every((name) => this.parts(name).every((part) => this.#experts.holds(part.tile)));
  }

  /** Announces the routed experts' weights of a layer in order of use, so that they are read side by side. */
  expectExperts(weights: readonly string[]): void {
    this.#experts.expect(new Set(weights.flatMap((name) => this.parts(name).map((part) => part.tile))));
  }

  /**
   * Says which experts a later layer will probably want, the likeliest first: some of their tiles are read behind those that were
   * announced, while the disk would wait for the choice.
   */
  foreseeExperts(weights: readonly string[]): void {
    this.#experts.foresee(new Set(weights.flatMap((name) => this.parts(name).map((part) => part.tile))));
  }

  /** Which experts were used, the most used first: what {@link warmExperts} of a later store takes. */
  expertUses(): ExpertUse[] {
    return listExpertUses(this.#layout.experts, (tile) => this.#experts.usesOf(tile));
  }

  /** Reads experts that were used in earlier runs, the most used first, while the disk is idle and the cache has room. */
  warmExperts(used: readonly ExpertUse[]): Promise<void> {
    return this.#experts.warm(tilesOfUses(this.#layout.experts, used));
  }

  /**
   * Reads embedding rows, a bounded number at a time: `use` gets a table of one row for each of
   * `ids[start … start + tables.length)`, and must have finished with them when it settles.
   */
  async readEmbeddings(
    ids: readonly number[],
    use: (tables: readonly WeightSlice[], start: number) => Promise<void>,
  ): Promise<void> {
    const { embedding } = this.#layout;
    const memory = this.#staging;
    for (let start = 0; start < ids.length; start += ROWS_PER_READ) {
      const began = performance.now();
      const { rows, bytesRead } = await this.#rows.read(ids.slice(start, start + ROWS_PER_READ));
      this.embeddingStats.bytesRead += bytesRead;
      this.embeddingStats.readSeconds += (performance.now() - began) / 1000;
      const tables = rows.map(({ row: rowStart, byteOffset, companions }) =>
        this.#residents.forOps(
          this.#residents.bind(embedding, { memory, byteOffset, rowStart, rowCount: 1 }, companions),
        ),
      );
      await use(tables, start);
    }
  }

  /**
   * Changes the budgets between passes; no lease may be held. Tiles that may stay where they are are not read again.
   *
   * @param deviceBudgetBytes default: as it is
   * @throws LayerStoreError `BUDGET_TOO_SMALL`, with nothing changed
   */
  async resize(budgetBytes: number, deviceBudgetBytes = this.#deviceBudgetBytes): Promise<void> {
    const { expertSlots } = this.#placement;
    this.#placement = this.#place(budgetBytes, deviceBudgetBytes);
    this.#budgetBytes = budgetBytes;
    this.#deviceBudgetBytes = deviceBudgetBytes;
    const { expertSlots: slots, expertSlotBytes } = this.#placement;
    // What experts give up goes before dense tiles take it.
    await this.#experts.resize(Math.min(slots, expertSlots), expertSlotBytes);
    await this.#dense.replace(this.#placement);
    await this.#placeResidents();
    await this.#experts.resize(slots, expertSlotBytes);
  }

  /** Waits for reads in flight, gives all memory back and closes the files. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= (async () => {
      await this.#dense.close();
      await this.#experts.close();
      this.#staging.dispose();
      await this.#residents.place(undefined);
      this.#residentMemory.dispose();
      await this.#reader.close();
    })();
    return this.#closing;
  }

  /** @internal Part of `openLayerStore`. */
  async readResidents(): Promise<void> {
    await this.#experts.resize(this.#placement.expertSlots, this.#placement.expertSlotBytes);
    await this.#residents.read(this.#reader, this.#staging);
    await this.#placeResidents();
  }

  #placeResidents(): Promise<void> {
    return this.#residents.place(this.#placement.residentsOnDevice ? this.#device : undefined);
  }

  #countWasted(tile: number): void {
    const reads = this.#layout.expertTiles.get(tile)?.reads ?? [];
    this.#statsOf(tile).wastedBytes += reads.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  #place(hostBytes: number, deviceBytes: number): StorePlacement {
    return placeStore(this.#layout, { hostBytes, deviceBytes: this.#device ? deviceBytes : 0 });
  }

  #tilesOf(tile: number): DenseTiles | ExpertTiles {
    return this.kindOf(tile) === 'dense' ? this.#dense : this.#experts;
  }

  #statsOf(tile: number): StageStats {
    const stage = (this.#layout.denseTiles[tile] ?? this.#layout.expertTiles.get(tile))?.stage;
    const stats = stage === undefined ? undefined : this.stats[stage];
    if (!stats) throw new RangeError(`Expected a tile of this model but received ${tile}`);
    return stats;
  }
}
