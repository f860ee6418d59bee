import { checkpoint } from '../test/small-checkpoint.js';
import { tileBytesFor } from './store-layout.js';

describe('layOutStore', () => {
  it('numbers dense tiles by stage and expert tiles after them, each of one expert', async () => {
    const { layout } = await checkpoint('layout');
    const indices = [...layout.denseTiles.map((tile) => tile.index), ...layout.expertTiles.keys()];
    expect(indices).toEqual(indices.map((_, i) => i));
    const denseStages = layout.denseTiles.map((tile) => tile.stage);
    expect(denseStages).toEqual([...denseStages].sort((a, b) => a - b));
    for (const { parts } of layout.expertTiles.values()) {
      const experts = new Set(parts.map(({ weight }) => weight.name.split('.', 2).join('.')));
      expect(experts.size).toBe(1);
    }
  });

  it('states the smallest budget: what always stays, two dense slots, four expert slots', async () => {
    const { layout } = await checkpoint('minimum');
    const largest = (tiles: Iterable<{ bufferBytes: number }>) =>
      Math.max(...[...tiles].map((tile) => tile.bufferBytes));
    expect(layout.minimumBytes).toBe(
      layout.fixedBytes + 2 * largest(layout.denseTiles) + 4 * largest(layout.expertTiles.values()),
    );
  });
});

describe('tileBytesFor', () => {
  const MiB = 1024 * 1024;

  it.each([
    ['a small budget: the smallest tile', 4 * MiB, 8000 * MiB, MiB / 4],
    ['a 32nd of the budget', 64 * MiB, 8000 * MiB, 2 * MiB],
    ['a large budget: the largest tile that is streamed', 1024 * MiB, 8000 * MiB, 4 * MiB],
    ['weights that all stay: tiles that no ring has to hold', 64 * MiB, 64 * MiB, 8 * MiB],
  ])('is for %s', (_, budget, weights, tileBytes) => {
    expect(tileBytesFor(budget, weights)).toBe(tileBytes);
  });

  it('is a whole number of pages', () => {
    expect(tileBytesFor(100_000_001, 1e10) % 4096).toBe(0);
  });
});
