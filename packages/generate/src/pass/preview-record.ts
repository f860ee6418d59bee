// How often previews of routers were right, and whether they are worth reading for.

/** Experts that are judged before previews may be given up. */
const FEWEST_JUDGED = 64;
/** Below this share of right ones more is read for nothing than waits for the disk are shortened. */
const LEAST_RIGHT = 0.5;

export class PreviewRecord {
  #judged = 0;
  #right = 0;

  /** Of the experts that were foreseen. */
  judge(foreseen: ReadonlySet<number>, chosen: readonly number[]): void {
    this.#judged += foreseen.size;
    this.#right += chosen.filter((expert) => foreseen.has(expert)).length;
  }

  get isTrusted(): boolean {
    return this.#judged < FEWEST_JUDGED || this.#right >= LEAST_RIGHT * this.#judged;
  }
}
