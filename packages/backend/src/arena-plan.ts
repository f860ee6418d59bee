// Places the tensors of a program in one arena: tensors that are never alive together share memory.

import type { Storage } from './tensor.js';

/** Tensors start on 64-byte boundaries: 16 float32 values. */
const ALIGN_ELEMENTS = 16;

/** When a storage is first written and last read, as indices of commands. */
export interface Lifetime {
  readonly storage: Storage;
  first: number;
  last: number;
}

/**
 * Sets `offset` of every storage so that storages with overlapping lifetimes never overlap in memory.
 * First fit in order of first use, starting at `base`.
 *
 * @returns the elements the arena must have.
 */
export function placeInArena(lifetimes: readonly Lifetime[], base: number): number {
  const byStart = [...lifetimes].sort((a, b) => a.first - b.first);
  let alive: { start: number; end: number; last: number }[] = [];
  let highWater = base;
  for (const { storage, first, last } of byStart) {
    alive = alive.filter((block) => block.last >= first).sort((a, b) => a.start - b.start);
    const size = alignElements(storage.elements);
    let start = base;
    for (const block of alive) {
      if (start + size <= block.start) break;
      start = Math.max(start, block.end);
    }
    storage.offset = start;
    alive.push({ start, end: start + size, last });
    highWater = Math.max(highWater, start + size);
  }
  return highWater;
}

/** The elements that a tensor of `elements` takes in an arena, where the next one may begin. */
export function alignElements(elements: number): number {
  return Math.ceil(elements / ALIGN_ELEMENTS) * ALIGN_ELEMENTS;
}
