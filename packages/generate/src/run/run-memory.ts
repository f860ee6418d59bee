// What one run holds beside the weights: a KV cache for as long as it lasts, and an arena for the pass at hand.

import type { Arena, Backend, KvCache } from '@airllm/backend';
import type { RunSize } from './run-size.js';

/** Disposing twice is harmless. */
export class RunMemory implements Disposable {
  readonly kvCache: KvCache;
  readonly #backend: Backend;
  #arena: Arena;
  #alive = true;

  constructor(backend: Backend, size: RunSize) {
    this.#backend = backend;
    this.kvCache = backend.createKvCache(size.kvShape);
    try {
      this.#arena = backend.createArena(size.arenaElements);
    } catch (error) {
      this.kvCache.dispose();
      throw error;
    }
  }

  get arena(): Arena {
    return this.#arena;
  }

  /** Takes an arena of the size in place of the one there is; between passes. */
  resizeArena({ arenaElements }: RunSize): void {
    if (!this.#alive || this.#arena.elements === arenaElements) return;
    this.#arena.dispose();
    this.#alive = false;
    try {
      this.#arena = this.#backend.createArena(arenaElements);
      this.#alive = true;
    } finally {
      if (!this.#alive) this.kvCache.dispose();
    }
  }

  [Symbol.dispose](): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#arena.dispose();
    this.kvCache.dispose();
  }
}
