// Decides which tiles stay in memory. Layers are visited in a cycle, where any fixed set saves its own
// size on every round and LRU saves nothing, so the set is fixed from the budget alone.

import { LayerStoreError } from './errors.js';
import type { Tile } from './tile.js';

/** Slots of the streaming ring: one is computed with, the others are read into. More would take room from weights. */
const RING_SLOTS = 5;
/** One tile is computed with while the next is read. */
const MIN_RING_SLOTS = 2;
/** Expert tiles of one layer that can be read at once. */
const MIN_EXPERT_SLOTS = 4;

export interface Placement {
  /** Per dense tile: kept in memory once read. */
  readonly pinned: readonly boolean[];
  readonly pinnedBytes: number;
  readonly ringSlots: number;
  readonly ringSlotBytes: number;
  readonly expertSlots: number;
  readonly expertSlotBytes: number;
  /** Everything above. */
  readonly totalBytes: number;
}

/**
 * Places dense tiles and sizes the expert cache within `budgetBytes`.
 *
 * @throws LayerStoreError `BUDGET_TOO_SMALL` with the smallest budget that works.
 */
export function placeTiles(dense: readonly Tile[], experts: readonly Tile[], budgetBytes: number): Placement {
  const minimum = minimumPlacementBytes(dense, experts);
  if (budgetBytes < minimum) {
    throw new LayerStoreError(
      'BUDGET_TOO_SMALL',
      `Expected at least ${minimum} bytes for weights but the budget leaves ${Math.max(0, Math.floor(budgetBytes))}`,
      { fields: { minimumBytes: minimum, budgetBytes } },
    );
  }
  const expertSlotBytes = largest(experts);
  const minExpertSlots = Math.min(MIN_EXPERT_SLOTS, experts.length);
  const denseBudget = budgetBytes - minExpertSlots * expertSlotBytes;
  const { pinned, pinnedBytes, ringSlots } = pinDense(dense, denseBudget);
  const ringSlotBytes = ringSlots > 0 ? largest(dense) : 0;
  const used = pinnedBytes + ringSlots * ringSlotBytes;
  const expertSlots =
    experts.length === 0 ? 0 : Math.min(experts.length, Math.floor((budgetBytes - used) / expertSlotBytes));
  return {
    pinned,
    pinnedBytes,
    ringSlots,
    ringSlotBytes,
    expertSlots,
    expertSlotBytes,
    totalBytes: used + expertSlots * expertSlotBytes,
  };
}

/** The smallest budget `placeTiles` accepts. */
export function minimumPlacementBytes(dense: readonly Tile[], experts: readonly Tile[]): number {
  const ring = Math.min(totalBytes(dense), MIN_RING_SLOTS * largest(dense));
  return ring + Math.min(MIN_EXPERT_SLOTS, experts.length) * largest(experts);
}

function pinDense(
  dense: readonly Tile[],
  budget: number,
): { pinned: boolean[]; pinnedBytes: number; ringSlots: number } {
  const all = totalBytes(dense);
  if (all <= budget) return { pinned: dense.map(() => true), pinnedBytes: all, ringSlots: 0 };
  const slot = largest(dense);
  const ringSlots = Math.max(MIN_RING_SLOTS, Math.min(RING_SLOTS, Math.floor(budget / 4 / slot)));
  let room = budget - ringSlots * slot;
  let pinnedBytes = 0;
  const pinned = dense.map(() => false);
  for (const index of spreadOrder(dense.length)) {
    const bytes = dense[index]?.bufferBytes ?? 0;
    // A smaller tile further on might fit, but then a larger budget could drop what a smaller one kept.
    if (bytes > room) break;
    pinned[index] = true;
    pinnedBytes += bytes;
    room -= bytes;
  }
  return { pinned, pinnedBytes, ringSlots };
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
