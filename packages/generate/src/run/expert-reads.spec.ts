// A token causes the dense part and the experts it is routed to to be read, and no other byte.

import type { Placement } from '@airllm/layer-store';
import { openModel, readCase, type GoldenCase, type OpenModel } from '../../test/cases.js';

/** Families, and the tiles that the experts of one layer's rows take: the cache must hold them for its order to be plain. */
const families = [
  ['mixtral', 4],
  ['qwen2-moe', 4],
  ['qwen3-moe', 4],
  ['deepseek-v3', 8],
  ['llama4-text', 4],
  ['gpt-oss', 4],
  ['qwen3-next', 4],
] as const;
interface Pass {
  /** Bytes the store read for layers and head. */
  readonly bytesRead: number;
  /** Expert tiles that the router of each layer named, in order of use. */
  readonly routedTiles: readonly (readonly number[])[];
}

/** Runs a prompt and, pass by pass, notes what was routed and what was read. */
async function observe({ model, store }: OpenModel, promptIds: readonly number[]): Promise<Pass[]> {
  let routedTiles: number[][] = [];
  const { expectExperts } = store;
  Object.assign(store, {
    expectExperts: (names: readonly string[]) => {
      const tiles = names.flatMap((name) => store.parts(name).map((part) => part.tile));
      routedTiles.push([...new Set(tiles)]);
      expectExperts.call(store, names);
    },
  });
  const read = (): number => store.stats.reduce((sum, stats) => sum + stats.bytesRead, 0);
  const passes: Pass[] = [];
  let before = read();
  for await (const { tokenId } of model.stream([promptIds], { maxNewTokens: 12 })) {
    expect(tokenId).toBeGreaterThanOrEqual(0);
    passes.push({ bytesRead: read() - before, routedTiles });
    before = read();
    routedTiles = [];
  }
  return passes;
}

const bytesOf = ({ layout }: OpenModel, tile: number): number => {
  const { reads } = layout.expertTiles.get(tile) ?? { reads: [] };
  return reads.reduce((sum, { byteLength }) => sum + byteLength, 0);
};

/** Bytes of the dense tiles, or of some of them. */
const denseBytes = (
  { layout, store }: OpenModel,
  counts: (placement: Placement, tile: number) => boolean = () => true,
): number =>
  layout.denseTiles
    .filter(({ index }) => counts(store.placement, index))
    .flatMap(({ reads }) => reads)
    .reduce((sum, { byteLength }) => sum + byteLength, 0);

/**
 * The cache as the README of the store has it: the latest to pass through makes room, then who has the least use; a use counts
 * half after 16 passes, to stay takes half a use more than the least used one has, and of more than twelve the longest stays.
 */
class ModelledCache {
  readonly #uses = new Map<number, number[]>();
  /** In order of reading. */
  #passing: number[] = [];
  /** In order of last use. */
  #staying: number[] = [];

  constructor(private readonly slots: number) {}

  /** Tiles that have to be read; none of a layer makes room for another. */
  route(layer: readonly number[], pass: number): number[] {
    const missed = layer.filter((tile) => !this.#passing.includes(tile) && !this.#staying.includes(tile));
    const free = (tile: number): boolean => !layer.includes(tile);
    while (this.#size + missed.length > this.slots) {
      const victim = this.#passing.filter(free).at(-1) ?? this.#byUse(this.#staying.filter(free), pass)[0];
      this.#remove(victim);
    }
    for (const tile of missed) {
      this.#passing.push(tile);
      const longest = this.#passing.length > 12 ? this.#passing.shift() : undefined;
      if (longest !== undefined) this.#staying.push(longest);
    }
    for (const tile of layer) {
      this.#uses.set(tile, [...(this.#uses.get(tile) ?? []), pass]);
      const [rival] = this.#byUse(this.#staying, pass);
      const isRoom = this.#size < this.slots || rival === undefined;
      const isAdmitted = isRoom || this.#usesOf(tile, pass) >= this.#usesOf(rival, pass) + 0.5;
      if (this.#passing.includes(tile) && !isAdmitted) continue;
      this.#remove(tile);
      this.#staying.push(tile);
    }
    return missed;
  }

  get #size(): number {
    return this.#passing.length + this.#staying.length;
  }

  #remove(tile: number | undefined): void {
    this.#passing = this.#passing.filter((other) => other !== tile);
    this.#staying = this.#staying.filter((other) => other !== tile);
  }

  /** The sort is stable: of equal use the one used longest ago comes first. */
  #byUse(tiles: readonly number[], pass: number): number[] {
    return [...tiles].sort((a, b) => this.#usesOf(a, pass) - this.#usesOf(b, pass));
  }

  #usesOf(tile: number, now: number): number {
    return (this.#uses.get(tile) ?? []).reduce((sum, pass) => sum + 2 ** ((pass - now) / 16), 0);
  }
}

/** The smallest of some budgets whose cache holds one layer's routed experts. */
async function openSmallCache(golden: GoldenCase, routedTiles: number): Promise<OpenModel> {
  for (let share = 0; ; share += 0.1) {
    const opened = await openModel(golden, { share, prefetch: false });
    if (opened.store.placement.expertSlots >= routedTiles) return opened;
    await opened[Symbol.asyncDispose]();
  }
}

describe.each(families)('%s', (name, routedTiles) => {
  it('reads a routed expert once where the cache holds all of them', async () => {
    const golden = await readCase(name);
    await using opened = await openModel(golden, { share: 4, prefetch: false });
    const cached = new Set<number>();
    const passes = await observe(opened, golden.prompts[0]?.input_ids ?? []);
    passes.forEach(({ bytesRead, routedTiles }, i) => {
      const missed = routedTiles.flat().filter((tile) => !cached.has(tile));
      for (const tile of missed) cached.add(tile);
      const experts = missed.reduce((sum, tile) => sum + bytesOf(opened, tile), 0);
      expect(bytesRead).toBe((i === 0 ? denseBytes(opened) : 0) + experts);
    });
    // Fewer than all: otherwise this showed nothing.
    expect(passes[0]?.routedTiles.flat().length).toBeLessThan(opened.layout.expertTiles.size);
  });

  it('reads the dense part and what fell out of a small cache for every token', async () => {
    const golden = await readCase(name);
    await using opened = await openSmallCache(golden, routedTiles);
    const slots = opened.store.placement.expertSlots;
    expect(slots).toBeLessThan(opened.layout.expertTiles.size);
    const cache = new ModelledCache(slots);
    let dense = denseBytes(opened);
    const passes = await observe(opened, golden.prompts[0]?.input_ids ?? []);
    for (const [pass, { bytesRead, routedTiles: layers }] of passes.entries()) {
      const missed = layers.flatMap((layer) => cache.route(layer, pass));
      expect(bytesRead).toBe(dense + missed.reduce((sum, tile) => sum + bytesOf(opened, tile), 0));
      dense = denseBytes(opened, ({ pinned }, tile) => !pinned[tile]);
    }
  });
});
