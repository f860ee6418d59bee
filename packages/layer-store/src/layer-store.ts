// Where weights live and when they are read: the one object that the runner asks for tiles, vectors and
// embedding rows. It reads the checkpoint's own files in place and holds at most its budget.

import type { BlockScales, WeightMemory, WeightSlice, WeightSpan } from '@airllm/backend';
import { DenseTiles } from './dense-tiles.js';
import { LayerStoreError } from './errors.js';
import { ExpertTiles } from './expert-tiles.js';
import { FileReader } from './file-reader.js';
import type { TileLease } from './lease.js';
import { placeTiles, type Placement } from './placement.js';
import type { BindPacking, ResolvedScales } from './resolve-weights.js';
import { RowReader, ROWS_PER_READ } from './row-reader.js';
import { decodeVector } from './decode-vector.js';
import { createStageStats, type StageStats } from './stats.js';
import type { StoreLayout } from './store-layout.js';
import { TileLoader } from './tile-loader.js';
import type { TileKind, TilePart } from './tile.js';

export interface LayerStoreOptions {
  layout: StoreLayout;
  /** Everything the store may hold; at least `layout.minimumBytes`. */
  budgetBytes: number;
  /** Memory that ops can read, such as `backend.allocateWeights`. */
  allocate: (byteLength: number) => WeightMemory;
  /** Read tiles before they are asked for, also across the end of a pass. Default true. */
  prefetch?: boolean;
}

/**
 * Opens the store: takes memory for what always stays and reads the vectors; tiles are read when the first
 * pass comes to them.
 *
 * @throws LayerStoreError `BUDGET_TOO_SMALL`, `READ_FAILED`; `UNSUPPORTED_DTYPE` where what stands beside packed weights
 * contradicts their headers
 */
export async function openLayerStore(options: LayerStoreOptions): Promise<LayerStore> {
  const store = construct(options);
  try {
    await store.readVectors();
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

export class LayerStore implements AsyncDisposable {
  readonly stats: readonly StageStats[];
  readonly embeddingStats = createStageStats('embedding');
  readonly #layout: StoreLayout;
  readonly #reader = new FileReader();
  readonly #dense: DenseTiles;
  readonly #experts: ExpertTiles;
  readonly #rows: RowReader;
  readonly #vectorMemory: WeightMemory;
  readonly #vectors = new Map<string, WeightSlice>();
  /** By the names of packed weights. */
  readonly #packings = new Map<string, BindPacking>();
  #placement: Placement;
  #closing: Promise<void> | undefined;

  /** @internal Use {@link openLayerStore}. */
  constructor(options: LayerStoreOptions) {
    const { layout, allocate, prefetch = true } = options;
    this.#layout = layout;
    this.#placement = this.#place(options.budgetBytes);
    this.stats = layout.stageNames.map(createStageStats);
    const loader = new TileLoader(this.#reader, this.stats);
    this.#dense = new DenseTiles(layout.denseTiles, this.#placement, { allocate, loader, prefetch });
    this.#experts = new ExpertTiles(layout.expertTiles, { allocate, loader });
    this.#rows = new RowReader(layout.embedding, this.#reader, allocate);
    this.#vectorMemory = allocate(Math.max(layout.vectors.byteLength, 1));
  }

  get placement(): Placement {
    return this.#placement;
  }

  /** Why reads go through the page cache; undefined when they are direct. */
  get bufferedReason(): string | undefined {
    return this.#reader.bufferedReason;
  }

  /** A vector of the model: norm or bias. Always in memory. */
  vector(name: string): WeightSlice {
    const slice = this.#vectors.get(name);
    if (!slice) throw new RangeError(`Expected a vector of this model but received ${name}`);
    return slice;
  }

  /** The values of a vector, for the host. */
  vectorValues(name: string): Float32Array {
    return decodeVector(this.vector(name));
  }

  /** The rows of `part`, which must be a part of the leased tile. */
  slice(lease: TileLease, part: TilePart): WeightSlice {
    const { weight, rowStart, rowCount, bufferOffset, companionOffsets } = part;
    const { memory } = lease;
    const slice = {
      memory,
      byteOffset: bufferOffset,
      dtype: weight.dtype,
      rows: rowCount,
      cols: weight.cols,
    };
    const companions = companionOffsets.map((byteOffset) => ({ memory, byteOffset }));
    const packing = this.#packings.get(weight.name)?.(companions, rowStart);
    if (packing) return { ...slice, packing };
    return weight.scales ? { ...slice, scales: this.#scales(weight.scales, rowStart) } : slice;
  }

  #scales({ vector, ...grid }: ResolvedScales, firstRow: number): BlockScales {
    const { memory, byteOffset } = this.vector(vector.name);
    return { memory, byteOffset, ...grid, firstRow };
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

  /** Announces the routed experts' weights of a layer in order of use, so that they are read side by side. */
  expectExperts(weights: readonly string[]): void {
    this.#experts.expect(new Set(weights.flatMap((name) => this.parts(name).map((part) => part.tile))));
  }

  /**
   * Reads embedding rows, a bounded number at a time: `use` gets them packed in `rows.rows` rows, for
   * `ids[start … start + rows.rows)`, and must have finished with them when it settles.
   */
  async readEmbeddings(
    ids: readonly number[],
    use: (rows: WeightSlice, start: number) => Promise<void>,
  ): Promise<void> {
    const { dtype, cols } = this.#layout.embedding;
    for (let start = 0; start < ids.length; start += ROWS_PER_READ) {
      const chunk = ids.slice(start, start + ROWS_PER_READ);
      const began = performance.now();
      const { memory, bytesRead } = await this.#rows.read(chunk);
      this.embeddingStats.bytesRead += bytesRead;
      this.embeddingStats.readSeconds += (performance.now() - began) / 1000;
      await use({ memory, byteOffset: 0, dtype, rows: chunk.length, cols }, start);
    }
  }

  /** Changes the budget between passes; no lease may be held. Tiles that may stay are not read again. */
  async resize(budgetBytes: number): Promise<void> {
    const { expertSlots } = this.#placement;
    this.#placement = this.#place(budgetBytes);
    const { expertSlots: slots, expertSlotBytes } = this.#placement;
    // What experts give up goes before dense tiles take it.
    await this.#experts.resize(Math.min(slots, expertSlots), expertSlotBytes);
    await this.#dense.replace(this.#placement);
    await this.#experts.resize(slots, expertSlotBytes);
  }

  /** Waits for reads in flight, gives all memory back and closes the files. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= (async () => {
      await this.#dense.close();
      await this.#experts.close();
      this.#rows.dispose();
      this.#vectorMemory.dispose();
      await this.#reader.close();
    })();
    return this.#closing;
  }

  /** @internal Part of {@link openLayerStore}. */
  async readVectors(): Promise<void> {
    await this.#experts.resize(this.#placement.expertSlots, this.#placement.expertSlotBytes);
    const { vectors, reads } = this.#layout.vectors;
    const memory = this.#vectorMemory;
    const results = await Promise.allSettled(reads.map((read) => this.#reader.read({ ...read, memory })));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    const places = new Map<string, WeightSpan>();
    for (const { weight, bufferOffset: byteOffset } of vectors) {
      places.set(weight.name, { memory, byteOffset });
      if (!('isVector' in weight)) continue;
      const { name, dtype, cols } = weight;
      this.#vectors.set(name, { memory, byteOffset, dtype, rows: 1, cols });
    }
    this.#openPackings(places);
  }

  #openPackings(places: ReadonlyMap<string, WeightSpan>): void {
    const resident = (name: string): WeightSpan => {
      const span = places.get(name);
      if (!span) throw new RangeError(`Expected ${name} to stay in memory`);
      return span;
    };
    for (const [name, [part]] of this.#layout.parts) {
      const packing = part?.weight.packing;
      if (packing) this.#packings.set(name, packing.open(resident));
    }
  }

  #place(budgetBytes: number): Placement {
    const { fixedBytes, minimumBytes, denseTiles, expertTiles } = this.#layout;
    if (budgetBytes < minimumBytes) {
      throw new LayerStoreError(
        'BUDGET_TOO_SMALL',
        `Expected a weight budget of at least ${minimumBytes} bytes but received ${Math.floor(budgetBytes)}`,
        { fields: { minimumBytes, budgetBytes } },
      );
    }
    return placeTiles(denseTiles, [...expertTiles.values()], budgetBytes - fixedBytes);
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
