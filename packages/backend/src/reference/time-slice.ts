// Keeps the event loop alive under long arithmetic: says when the thread has been held too long, and
// lets everything else run once.

import { setImmediate } from 'node:timers/promises';

/** Longest stretch of arithmetic between two turns of the event loop: half a frame of a display. */
const SLICE_MS = 8;

/** Shared by all submissions of a backend, so that many short ones do not add up to a long silence. */
export class TimeSlice {
  #start = performance.now();

  get isOver(): boolean {
    return performance.now() - this.#start > SLICE_MS;
  }

  /** Resolves after one turn of the event loop; the next slice starts then. */
  async rest(): Promise<void> {
    await setImmediate();
    this.#start = performance.now();
  }
}
