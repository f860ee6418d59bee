// One thing after the other: submissions, writes and reads reach the device in the order they were asked for, though some
// must wait before they can be handed over.

import { BackendError } from '@airllm/backend';

export class WorkQueue {
  #handedOver: Promise<unknown> = Promise.resolve();
  #settled: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** @throws BackendError `BACKEND_CLOSED` */
  expectOpen(): void {
    if (this.#closed)
      throw new BackendError('BACKEND_CLOSED', 'Expected an open backend; create another one');
  }

  /** Takes nothing more; what was asked for goes on. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Calls `handOver` once everything before it has been handed over, and resolves to what its `settled` resolves to, for
   * which the next does not wait.
   *
   * @throws BackendError `BACKEND_CLOSED`
   */
  async run<T>(handOver: () => Promise<{ settled: Promise<T> }>): Promise<T> {
    this.expectOpen();
    const handed = this.#handedOver.then(handOver);
    this.#handedOver = handed.catch(() => undefined);
    const result = handed.then(({ settled }) => settled);
    // Without their values: what was read is the caller's alone.
    this.#settled = Promise.allSettled([this.#settled, result]).then(() => undefined);
    return result;
  }

  /** Resolves when everything asked for so far has settled. */
  async drained(): Promise<void> {
    await this.#settled;
  }
}
