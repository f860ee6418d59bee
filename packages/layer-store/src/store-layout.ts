// What a model's weights are to the store, before any memory is taken: what always stays, dense tiles in
// order of use, expert tiles, the embedding table. Pure: made from names and headers alone.

import type { WeightRef } from '@airllm/backend';
import { companionsOf } from './companion-rows.js';
import { LayerStoreError } from './errors.js';
import { minimumPlacementBytes } from './placement.js';
import { ceilPage } from './read-ranges.js';
import { layOutResidents, type ResidentLayout } from './resident-layout.js';
import type { FileSpan, ResolvedWeight, StoredTensor, TensorTable } from './resolved-weight.js';
import { resolveWeight } from './resolve-weights.js';
import { rowReaderBytes } from './row-reader.js';
import { cutTiles, type Tile, type TilePart } from './tile.js';

/** One step of the pass over the model: a layer or the head. */
export interface StageSpec {
  readonly name: string;
  /** In order of first use. */
  readonly weights: readonly WeightRef[];
  /** Weights of every routed expert, in order of use. */
  readonly experts?: readonly (readonly WeightRef[])[] | undefined;
}

/** The tiles of one routed expert. */
export interface ExpertPlace {
  readonly stage: number;
  /** Its number within the stage. */
  readonly expert: number;
  readonly tiles: readonly number[];
}

export interface StoreLayout {
  readonly stageNames: readonly string[];
  readonly embedding: ResolvedWeight;
  /** Norms, biases, scales: small, and needed beside a tile, so always in memory. By name. */
  readonly vectors: ReadonlyMap<string, ResolvedWeight>;
  /** Names of the checkpoint's tensors that the weights are made of. */
  readonly tensorNames: ReadonlySet<string>;
  /** What is packed, matrices and vectors. By name. */
  readonly packed: ReadonlyMap<string, ResolvedWeight>;
  /** Vectors as stored, and what stands beside packed weights. */
  readonly residents: ResidentLayout;
  /** Indexed by tile number. */
  readonly denseTiles: readonly Tile[];
  /** By tile number; numbers go on after the dense tiles. */
  readonly expertTiles: ReadonlyMap<number, Tile>;
  readonly experts: readonly ExpertPlace[];
  /** By weight name, in order of rows. */
  readonly parts: ReadonlyMap<string, readonly TilePart[]>;
  /** All weights as they are stored, with what stands beside them, each once. */
  readonly weightBytes: number;
  /** For embedding rows, and for residents while they are read. */
  readonly stagingBytes: number;
  /** Memory the store holds whatever the placement. */
  readonly fixedBytes: number;
  /** The smallest weight budget that works. */
  readonly minimumBytes: number;
}

/** Tiles this long keep a disk at its full speed, and a ring of them is small; smaller budgets get smaller tiles. */
const LARGEST_STREAMED_TILE_BYTES = 4 * 1024 * 1024;
const SMALLEST_TILE_BYTES = 256 * 1024;
/** Where all weights stay in memory there is no ring, and fewer, larger tiles compute faster. */
const RESIDENT_TILE_BYTES = 8 * 1024 * 1024;
/** A budget is cut into about this many tiles, so that it can be used to its last one. */
const TILES_PER_BUDGET = 32;

/** `weightBytes` are those of the whole model. */
export function tileBytesFor(weightBudgetBytes: number, weightBytes: number): number {
  if (weightBytes <= weightBudgetBytes) return RESIDENT_TILE_BYTES;
  const wanted = ceilPage(weightBudgetBytes / TILES_PER_BUDGET);
  return Math.min(LARGEST_STREAMED_TILE_BYTES, Math.max(SMALLEST_TILE_BYTES, wanted));
}

/**
 * Resolves every weight and cuts the matrices into tiles.
 *
 * @throws LayerStoreError `MISSING_TENSOR`, `WRONG_SHAPE`, `UNSUPPORTED_DTYPE`
 */
export function layOutStore(options: {
  stages: readonly StageSpec[];
  embedding: WeightRef;
  tensors: TensorTable;
  tileBytes: number;
  /** Rows of GPTQ weights may be of any group (`desc_act`). Default false. */
  shuffledGroups?: boolean;
}): StoreLayout {
  const { stages, tileBytes, shuffledGroups = false } = options;
  const { table, names } = recordNames(options.tensors);
  const weights = new Map<string, ResolvedWeight>();
  const resolve = (ref: WeightRef): ResolvedWeight => {
    const weight = resolveWeight(ref, table, { shuffledGroups });
    weights.set(weight.name, weight);
    return weight;
  };
  const matricesOf = (refs: readonly WeightRef[]): ResolvedWeight[] =>
    refs.map(resolve).filter((weight) => !weight.isVector);
  const denseTiles: Tile[] = [];
  stages.forEach((stage, index) => {
    const matrices = matricesOf(stage.weights);
    denseTiles.push(...cutTiles(matrices, { stage: index, firstIndex: denseTiles.length, tileBytes }));
  });
  const expertTiles = new Map<number, Tile>();
  const experts: ExpertPlace[] = [];
  stages.forEach((stage, index) => {
    stage.experts?.forEach((refs, expert) => {
      const firstIndex = denseTiles.length + expertTiles.size;
      const tiles = cutTiles(matricesOf(refs), { stage: index, firstIndex, tileBytes });
      for (const tile of tiles) expertTiles.set(tile.index, tile);
      experts.push({ stage: index, expert, tiles: tiles.map((tile) => tile.index) });
    });
  });
  const embedding = expectRowMajor(resolve(options.embedding));
  const scales = [...weights.values()].flatMap((weight) => weight.scales?.vector ?? []);
  for (const vector of scales) weights.set(vector.name, vector);
  const all = [...weights.values()];
  const stagingBytes = rowReaderBytes(embedding);
  const residents = layOutResidents(all.flatMap(residentSpans), {
    decoded: all.filter(({ isVector, decoded }) => isVector && decoded),
    stagingBytes,
  });
  const largestStaging = Math.max(stagingBytes, residents.stagingBytes);
  const fixedBytes = residents.byteLength + largestStaging;
  const byName = (of: readonly ResolvedWeight[]): Map<string, ResolvedWeight> =>
    new Map(of.map((weight) => [weight.name, weight]));
  return {
    stageNames: stages.map((stage) => stage.name),
    embedding,
    tensorNames: names,
    vectors: byName(all.filter(({ isVector }) => isVector)),
    packed: byName(all.filter(({ packing }) => packing)),
    residents,
    denseTiles,
    expertTiles,
    experts,
    parts: partsByWeight([...denseTiles, ...expertTiles.values()]),
    weightBytes: bytesOf(all),
    stagingBytes: largestStaging,
    fixedBytes,
    minimumBytes: fixedBytes + minimumPlacementBytes(denseTiles, [...expertTiles.values()]),
  };
}

/** A table that remembers what was taken from it. */
function recordNames(tensors: TensorTable): { table: TensorTable; names: ReadonlySet<string> } {
  const names = new Set<string>();
  const get = (name: string): StoredTensor | undefined => {
    const tensor = tensors.get(name);
    if (tensor) names.add(name);
    return tensor;
  };
  return { table: { get, has: (name) => tensors.has(name) }, names };
}

/** What always stays: a vector with all of it, of a matrix what is not read with its rows. */
function residentSpans(weight: ResolvedWeight): FileSpan[] {
  const beside = weight.packing?.residents ?? [];
  return weight.isVector ? [weight, ...companionsOf(weight), ...beside] : [...beside];
}

/** With companions; what several weights share counts once. */
function bytesOf(weights: readonly ResolvedWeight[]): number {
  const spans = weights.flatMap((weight) => [
    weight,
    ...companionsOf(weight),
    ...(weight.packing?.residents ?? []),
  ]);
  const distinct = new Map(spans.map((span) => [`${span.byteOffset} ${span.path}`, span.byteLength]));
  return [...distinct.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** @throws LayerStoreError `UNSUPPORTED_DTYPE` for a table whose rows lie across its storage */
function expectRowMajor(weight: ResolvedWeight): ResolvedWeight {
  if (!weight.packing?.inputMajor && Number.isInteger(weight.rowBytes)) return weight;
  throw new LayerStoreError(
    'UNSUPPORTED_DTYPE',
    `Expected ${weight.name} in rows of whole bytes, since it is read row by row, but the checkpoint stores ${weight.dtype} [${weight.rows}, ${weight.cols}]${weight.packing?.inputMajor ? ', columns first' : ''}`,
    { fields: { tensor: weight.name, dtype: weight.dtype } },
  );
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
