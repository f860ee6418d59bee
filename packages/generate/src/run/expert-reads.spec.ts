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
  /** Expert tiles that the routers of the pass named, in order. */
  readonly routedTiles: readonly number[];
}

/** Runs a prompt and, pass by pass, notes what was routed and what was read. */
async function observe({ model, store }: OpenModel, promptIds: readonly number[]): Promise<Pass[]> {
  let routedTiles: number[] = [];
  const { expectExperts } = store;
  Object.assign(store, {
    expectExperts: (names: readonly string[]) => {
      const tiles = names.flatMap((name) => store.parts(name).map((part) => part.tile));
      routedTiles.push(...new Set(tiles));
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
      const missed = routedTiles.filter((tile) => !cached.has(tile));
      for (const tile of missed) cached.add(tile);
      const experts = missed.reduce((sum, tile) => sum + bytesOf(opened, tile), 0);
      expect(bytesRead).toBe((i === 0 ? denseBytes(opened) : 0) + experts);
    });
    // Fewer than all: otherwise this showed nothing.
    expect(passes[0]?.routedTiles.length).toBeLessThan(opened.layout.expertTiles.size);
  });

  it('reads the dense part and what fell out of a small cache for every token', async () => {
    const golden = await readCase(name);
    await using opened = await openSmallCache(golden, routedTiles);
    const slots = opened.store.placement.expertSlots;
    expect(slots).toBeLessThan(opened.layout.expertTiles.size);
    // Least recently used first, as the README of the store has it.
    let cached: number[] = [];
    let dense = denseBytes(opened);
    for (const { bytesRead, routedTiles: named } of await observe(
      opened,
      golden.prompts[0]?.input_ids ?? [],
    )) {
      let experts = 0;
      for (const tile of named) {
        if (!cached.includes(tile)) experts += bytesOf(opened, tile);
        cached = [...cached.filter((other) => other !== tile), tile].slice(-slots);
      }
      expect(bytesRead).toBe(dense + experts);
      dense = denseBytes(opened, ({ pinned }, tile) => !pinned[tile]);
    }
  });
});
