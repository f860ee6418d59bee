// How much each expert tile is used: a use counts half after some passes, and what is known of a tile outlives its stay in
// memory. Between the most recently used and the most often used; docs/decisions says what that saves.
// Source of the idea: Lee and others, LRFU, IEEE Transactions on Computers 50 (2001).

/** Passes after which a use counts half. */
export const HALF_LIFE_PASSES = 16;

export class ExpertHeat {
  /** Per tile log2 of the sum of its uses, one of pass p being 2^(p / half-life): comparable whenever it was computed. */
  readonly #logSums = new Map<number, number>();
  #pass = 0;

  nextPass(): void {
    this.#pass += 1;
  }

  use(tile: number): void {
    this.#add(tile, this.#pass / HALF_LIFE_PASSES);
  }

  /** Counts uses of earlier runs, as {@link usesOf} told them. */
  remember(tile: number, uses: number): void {
    this.#add(tile, Math.log2(uses) + this.#pass / HALF_LIFE_PASSES);
  }

  /** Orders tiles: the lowest is the one to drop. −∞ for one that was never used. */
  of(tile: number): number {
    return this.#logSums.get(tile) ?? -Infinity;
  }

  /** Uses as they count now: 1 for a tile used in this pass alone, 0 for one that was never used. */
  usesOf(tile: number): number {
    return 2 ** (this.of(tile) - this.#pass / HALF_LIFE_PASSES);
  }

  #add(tile: number, logUses: number): void {
    const known = this.of(tile);
    const [less, more] = known < logUses ? [known, logUses] : [logUses, known];
    this.#logSums.set(tile, more === -Infinity ? more : more + Math.log2(1 + 2 ** (less - more)));
  }
}
