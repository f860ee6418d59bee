// Tiles by heat, the coldest first: a binary heap in which a tile whose heat changed is entered anew and its older entries
// are passed over, so that a cache of many thousand tiles finds the one to drop without looking at all.

interface Entry {
  readonly tile: number;
  readonly heat: number;
  /** Grows with every entry: of equal heat the one used longest ago goes first. */
  readonly turn: number;
}

/** The heap is made anew when this many of its entries are old, or more than are valid. */
const MOST_OLD_ENTRIES = 64;

export class ColdQueue {
  #heap: Entry[] = [];
  readonly #current = new Map<number, Entry>();
  #turn = 0;

  /** Enters a tile, or moves it to where its heat is now. */
  set(tile: number, heat: number): void {
    const entry = { tile, heat, turn: (this.#turn += 1) };
    this.#current.set(tile, entry);
    if (this.#heap.length >= 2 * this.#current.size + MOST_OLD_ENTRIES) this.#rebuild();
    else this.#push(entry);
  }

  delete(tile: number): void {
    this.#current.delete(tile);
  }

  /** Takes out the coldest tile that `may` go; undefined where none may. */
  take(may: (tile: number) => boolean): number | undefined {
    const tile = this.coldest(may);
    if (tile !== undefined) this.#current.delete(tile);
    return tile;
  }

  /** The tile that {@link take} would take. */
  coldest(may: (tile: number) => boolean = () => true): number | undefined {
    const seen: Entry[] = [];
    let found: number | undefined;
    while (found === undefined) {
      const entry = this.#pop();
      if (!entry) break;
      if (this.#current.get(entry.tile) !== entry) continue;
      seen.push(entry);
      if (may(entry.tile)) found = entry.tile;
    }
    for (const entry of seen) this.#push(entry);
    return found;
  }

  #rebuild(): void {
    // A sorted array is a heap.
    this.#heap = [...this.#current.values()].sort((a, b) => (isColder(a, b) ? -1 : 1));
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    for (;;) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt];
      if (at === 0 || !parent || !isColder(entry, parent)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let childAt = 2 * at + 1;
      const [left, right] = [heap[childAt], heap[childAt + 1]];
      if (left && right && isColder(right, left)) childAt += 1;
      const child = heap[childAt];
      if (!child || !isColder(child, last)) break;
      heap[at] = child;
      at = childAt;
    }
    heap[at] = last;
    return first;
  }
}

function isColder(a: Entry, b: Entry): boolean {
  return a.heat < b.heat || (a.heat === b.heat && a.turn < b.turn);
}
