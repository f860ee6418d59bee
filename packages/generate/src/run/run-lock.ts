// One run at a time: the weights pass through memory in one order.

/** Runs wait here for their turn, first come first served. */
export class RunLock {
  #last: Promise<void> = Promise.resolve();

  /** Resolves, when every earlier holder has released, to the function that releases. */
  async acquire(): Promise<() => void> {
    const previous = this.#last;
    let release: () => void = () => undefined;
    this.#last = new Promise((resolve) => (release = resolve));
    await previous;
    return release;
  }
}
