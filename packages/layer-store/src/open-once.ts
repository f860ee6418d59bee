// What is opened when it is first asked for, once for all who ask, and closed together.

export class OpenOnce<Key, Opened> {
  readonly #opened = new Map<Key, Promise<Opened>>();

  constructor(
    private readonly how: {
      open: (key: Key) => Promise<Opened>;
      close: (opened: Opened) => Promise<void>;
    },
  ) {}

  /** An opening that failed is tried again next time. */
  get(key: Key): Promise<Opened> {
    const known = this.#opened.get(key);
    if (known) return known;
    const opening = this.how.open(key);
    this.#opened.set(key, opening);
    opening.catch(() => this.#opened.delete(key));
    return opening;
  }

  /** Closes what is open, and what is still being opened when it is; failures are nobody's any more. */
  async close(): Promise<void> {
    const opened = [...this.#opened.values()];
    this.#opened.clear();
    await Promise.allSettled(opened.map(async (opening) => this.how.close(await opening)));
  }
}
