// How the memory is divided between weights and runs. Runs come first: the store gets what the run at hand leaves, and
// gives it back or gets more when the next one, or the process around them, needs more or less.

import { LayerStoreError, type LayerStore } from '@airllm/layer-store';

/** Smaller changes of what the process takes are ignored: to divide the memory anew waits for the reads in flight. */
const SMALLEST_CHANGE_SHARE = 1 / 512;

export interface WeightRoomOptions {
  readonly store: LayerStore;
  /**
   * Bytes for weights and runs together, as of now. The process around them grows and shrinks, so this is asked for before
   * every pass; `writtenRunBytes` is the least that the current run has committed of its memory.
   */
  readonly memoryBytes: (writtenRunBytes: number) => number;
  /** What was planned with: a run that fits in it is not refused because the process has grown since. */
  readonly plannedMemoryBytes: number;
  /** Bytes that are left for runs at least. */
  readonly reservedRunBytes: number;
}

export class WeightRoom {
  readonly #options: WeightRoomOptions;
  #memoryBytes: number;

  constructor(options: WeightRoomOptions) {
    this.#options = options;
    this.#memoryBytes = options.plannedMemoryBytes;
  }

  /** For weights and runs together: as they were last divided, or as planned where that is more. */
  get memoryBytes(): number {
    return Math.max(this.#memoryBytes, this.#options.plannedMemoryBytes);
  }

  /** Has the store leave `runBytes`; returns its refusal where it cannot. Between passes. */
  async makeRoom(runBytes: number, writtenRunBytes = 0): Promise<LayerStoreError | undefined> {
    const { store, reservedRunBytes, plannedMemoryBytes } = this.#options;
    this.#measure(writtenRunBytes);
    const reserved = Math.max(runBytes, reservedRunBytes);
    const smallest = Math.min(store.minimumBytes, plannedMemoryBytes - reserved);
    const budgetBytes = Math.max(this.#memoryBytes - reserved, smallest);
    if (budgetBytes === store.budgetBytes) return undefined;
    try {
      await store.resize(budgetBytes);
    } catch (error) {
      if (error instanceof LayerStoreError && error.code === 'BUDGET_TOO_SMALL') return error;
      throw error;
    }
    return undefined;
  }

  #measure(writtenRunBytes: number): void {
    const measured = this.#options.memoryBytes(writtenRunBytes);
    const change = Math.abs(measured - this.#memoryBytes);
    if (change > this.#memoryBytes * SMALLEST_CHANGE_SHARE) this.#memoryBytes = measured;
  }
}
