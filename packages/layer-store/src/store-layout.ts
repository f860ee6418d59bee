// What a model's weights are to the store, before any memory is taken: vectors that always stay, dense
// tiles in order of use, expert tiles, the embedding table. Pure: made from names and headers alone.

import type { WeightRef } from '@airllm/backend';
import { minimumPlacementBytes } from './placement.js';
import {
  resolveWeight,
  type ResidentSpan,
  type ResolvedWeight,
  type StoredTensor,
} from './resolve-weights.js';
import { LayerStoreError } from './errors.js';
import { rowReaderBytes } from './row-reader.js';
import { ceilPage, cutTiles, type Tile, type TilePart } from './tile.js';
import { layOutVectors, type VectorLayout } from './vector-layout.js';

/** One step of the pass over the model: a layer or the head. */
export interface StageSpec {
  readonly name: string;
  /** In order of first use. */
  readonly weights: readonly WeightRef[];
  /** Weights of every routed expert, in order of use. */
  readonly experts?: readonly (readonly WeightRef[])[] | undefined;
}

export interface StoreLayout {
  readonly stageNames: readonly string[];
  readonly embedding: ResolvedWeight;
  /** Norms, biases, scales and code books: small, and needed beside a tile, so always in memory. */
  readonly vectors: VectorLayout;
  /** Indexed by tile number. */
  readonly denseTiles: readonly Tile[];
  /** By tile number; numbers go on after the dense tiles. */
  readonly expertTiles: ReadonlyMap<number, Tile>;
  /** By weight name, in order of rows. */
  readonly parts: ReadonlyMap<string, readonly TilePart[]>;
  /** Memory the store holds whatever the placement. */
  readonly fixedBytes: number;
  /** The smallest weight budget that works. */
  readonly minimumBytes: number;
}

/** Tiles this long keep a disk at its full speed; smaller budgets get smaller tiles. */
const LARGEST_TILE_BYTES = 8 * 1024 * 1024;
const SMALLEST_TILE_BYTES = 256 * 1024;
/** A budget is cut into about this many tiles, so that it can be used to its last one. */
const TILES_PER_BUDGET = 32;

export function tileBytesFor(weightBudgetBytes: number): number {
  const wanted = ceilPage(weightBudgetBytes / TILES_PER_BUDGET);
  return Math.min(LARGEST_TILE_BYTES, Math.max(SMALLEST_TILE_BYTES, wanted));
}

/**
 * Resolves every weight and cuts the matrices into tiles.
 *
 * @throws LayerStoreError `MISSING_TENSOR`, `WRONG_SHAPE`, `UNSUPPORTED_DTYPE`
 */
export function layOutStore(options: {
  stages: readonly StageSpec[];
  embedding: WeightRef;
  tensors: ReadonlyMap<string, StoredTensor>;
  tileBytes: number;
}): StoreLayout {
  const { stages, tensors, tileBytes } = options;
  const resolve = (ref: WeightRef): ResolvedWeight => resolveWeight(ref, tensors);
  const vectors: (ResolvedWeight | ResidentSpan)[] = [];
  /** Puts aside the vectors and what always stays beside a matrix and returns the matrices. */
  const takeVectors = (weights: readonly ResolvedWeight[]): ResolvedWeight[] => {
    vectors.push(...weights.filter((weight) => weight.isVector));
    vectors.push(...weights.flatMap((weight) => weight.scales?.vector ?? []));
    vectors.push(...weights.flatMap((weight) => weight.packing?.residents ?? []));
    return weights.filter((weight) => !weight.isVector);
  };
  const denseTiles: Tile[] = [];
  stages.forEach((stage, index) => {
    const matrices = takeVectors(stage.weights.map(resolve));
    denseTiles.push(...cutTiles(matrices, { stage: index, firstIndex: denseTiles.length, tileBytes }));
  });
  const expertTiles = new Map<number, Tile>();
  stages.forEach((stage, index) => {
    for (const expert of stage.experts ?? []) {
      const matrices = takeVectors(expert.map(resolve));
      const firstIndex = denseTiles.length + expertTiles.size;
      for (const tile of cutTiles(matrices, { stage: index, firstIndex, tileBytes }))
        expertTiles.set(tile.index, tile);
    }
  });
  const embedding = resolve(options.embedding);
  if (embedding.scales || embedding.packing) {
    throw new LayerStoreError(
      'UNSUPPORTED_DTYPE',
      `Expected ${embedding.name}, which is read row by row, without tensors of factors but the checkpoint stores ${embedding.dtype} with them`,
      { fields: { tensor: embedding.name, dtype: embedding.dtype } },
    );
  }
  const vectorLayout = layOutVectors(vectors);
  const fixedBytes = vectorLayout.byteLength + rowReaderBytes(embedding);
  return {
    stageNames: stages.map((stage) => stage.name),
    embedding,
    vectors: vectorLayout,
    denseTiles,
    expertTiles,
    parts: partsByWeight([...denseTiles, ...expertTiles.values()]),
    fixedBytes,
    minimumBytes: fixedBytes + minimumPlacementBytes(denseTiles, [...expertTiles.values()]),
  };
}

function partsByWeight(tiles: readonly Tile[]): Map<string, TilePart[]> {
  const parts = new Map<string, TilePart[]>();
  for (const part of tiles.flatMap((tile) => tile.parts)) {
    const known = parts.get(part.weight.name);
    if (known) known.push(part);
    else parts.set(part.weight.name, [part]);
  }
  return parts;
}
