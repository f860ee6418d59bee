// Decides which tiles stay in memory: on the device first, where it has memory of its own, then in the host's. Layers are
// visited in a cycle, where any fixed set saves its own size on every round and LRU saves nothing, so the set is fixed from
// the budget alone.

import { LayerStoreError } from './errors.js';
import type { Tile } from './tile.js';

/** Slots of the streaming ring: one is computed with, the others are read into. More would take room from weights. */
const RING_SLOTS = 5;
/** One tile is computed with while the next is read. */
const MIN_RING_SLOTS = 2;
/** Expert tiles of one layer that can be read at once. */
const MIN_EXPERT_SLOTS = 4;
/** Tiles on their way to the device: one is copied while the next is read. */
export const DEVICE_LOADS = 2;

/** What weights may take. */
export interface WeightBudget {
  readonly hostBytes: number;
  /** Of a device's own memory. Default 0: there is none. */
  readonly deviceBytes?: number;
}

export interface Placement {
  /** Per dense tile: kept in the device's own memory once read. */
  readonly onDevice: readonly boolean[];
  readonly deviceBytes: number;
  /** Host memory that those pass through when they are read. */
  readonly loadingBytes: number;
  /** Per dense tile: kept in host memory once read. */
  readonly pinned: readonly boolean[];
  readonly pinnedBytes: number;
  readonly ringSlots: number;
  readonly ringSlotBytes: number;
  readonly expertSlots: number;
  readonly expertSlotBytes: number;
  /** Everything above that is host memory. */
  readonly totalBytes: number;
}

/**
 * Places dense tiles and sizes the expert cache within a budget. Experts stay in host memory.
 *
 * @throws LayerStoreError `BUDGET_TOO_SMALL` with the smallest budget of host memory that works.
 */
export function placeTiles(
  dense: readonly Tile[],
  experts: readonly Tile[],
  { hostBytes: budgetBytes, deviceBytes = 0 }: WeightBudget,
): Placement {
  const minimum = minimumPlacementBytes(dense, experts) + (deviceBytes > 0 ? loadingBytesOf(dense) : 0);
  if (budgetBytes < minimum) {
    throw new LayerStoreError(
      'BUDGET_TOO_SMALL',
      `Expected at least ${minimum} bytes for weights but the budget leaves ${Math.max(0, Math.floor(budgetBytes))}`,
      { fields: { minimumBytes: minimum, budgetBytes } },
    );
  }
  const expertSlotBytes = largest(experts);
  const minExpertSlots = Math.min(MIN_EXPERT_SLOTS, experts.length);
  const { pinned: onDevice, pinnedBytes: placedBytes } = pinSpread(dense, deviceBytes);
  const rest = dense.filter((_, i) => !onDevice[i]);
  const loadingBytes = loadingBytesOf(dense.filter((_, i) => onDevice[i]));
  const denseBudget = budgetBytes - loadingBytes - minExpertSlots * expertSlotBytes;
  const { pinned, pinnedBytes, ringSlots } = pinDense(rest, denseBudget);
  const pinnedTiles = new Set(rest.filter((_, i) => pinned[i]));
  const ringSlotBytes = ringSlots > 0 ? largest(rest) : 0;
  const used = loadingBytes + pinnedBytes + ringSlots * ringSlotBytes;
  const expertSlots =
    experts.length === 0 ? 0 : Math.min(experts.length, Math.floor((budgetBytes - used) / expertSlotBytes));
  return {
    onDevice,
    deviceBytes: placedBytes,
    loadingBytes,
    pinned: dense.map((tile) => pinnedTiles.has(tile)),
    pinnedBytes,
    ringSlots,
    ringSlotBytes,
    expertSlots,
    expertSlotBytes,
    totalBytes: used + expertSlots * expertSlotBytes,
  };
}

/** The smallest budget `placeTiles` accepts where nothing lives on a device. */
export function minimumPlacementBytes(dense: readonly Tile[], experts: readonly Tile[]): number {
  const ring = Math.min(totalBytes(dense), MIN_RING_SLOTS * largest(dense));
  return ring + Math.min(MIN_EXPERT_SLOTS, experts.length) * largest(experts);
}

/** Host memory that tiles pass through on their way to the device. */
export function loadingBytesOf(tiles: readonly Tile[]): number {
  return Math.min(totalBytes(tiles), DEVICE_LOADS * largest(tiles));
}

function pinDense(
  dense: readonly Tile[],
  budget: number,
): { pinned: boolean[]; pinnedBytes: number; ringSlots: number } {
  const all = totalBytes(dense);
  if (all <= budget) return { pinned: dense.map(() => true), pinnedBytes: all, ringSlots: 0 };
  const slot = largest(dense);
  const ringSlots = Math.max(MIN_RING_SLOTS, Math.min(RING_SLOTS, Math.floor(budget / 4 / slot)));
  return { ...pinSpread(dense, budget - ringSlots * slot), ringSlots };
}

function pinSpread(tiles: readonly Tile[], budget: number): { pinned: boolean[]; pinnedBytes: number } {
  let pinnedBytes = 0;
  const pinned = tiles.map(() => false);
  for (const index of spreadOrder(tiles.length)) {
    const bytes = tiles[index]?.bufferBytes ?? 0;
    // A smaller tile further on might fit, but then a larger budget could drop what a smaller one kept.
    if (bytes > budget - pinnedBytes) break;
    pinned[index] = true;
    pinnedBytes += bytes;
  }
  return { pinned, pinnedBytes };
}

/**
 * 0 … count−1 so that every prefix is spread evenly (bit-reversed order, the van der Corput sequence):
 * pinned tiles between streamed ones give the disk time to run ahead.
 */
export function spreadOrder(count: number): number[] {
  const bits = Math.max(1, Math.ceil(Math.log2(Math.max(2, count))));
  const order: number[] = [];
  for (let i = 0; i < 1 << bits; i++) {
    let reversed = 0;
    for (let bit = 0; bit < bits; bit++) if (i & (1 << bit)) reversed |= 1 << (bits - 1 - bit);
    if (reversed < count) order.push(reversed);
  }
  return order;
}

function totalBytes(tiles: readonly Tile[]): number {
  return tiles.reduce((sum, tile) => sum + tile.bufferBytes, 0);
}

function largest(tiles: readonly Tile[]): number {
  return tiles.reduce((max, tile) => Math.max(max, tile.bufferBytes), 0);
}
