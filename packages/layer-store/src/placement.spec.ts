import { createRandom, makeTiles, PAGE } from '../test/support.js';
import { minimumPlacementBytes, placeTiles, spreadOrder } from './placement.js';
import type { Tile } from './tile.js';

function tilesOf(sizes: readonly number[], firstIndex = 0): Tile[] {
  return makeTiles(sizes.length, firstIndex).map((tile, i) => ({
    ...tile,
    bufferBytes: (sizes[i] ?? 0) * PAGE,
  }));
}

const bytesOf = (tiles: readonly Tile[]): number => tiles.reduce((sum, tile) => sum + tile.bufferBytes, 0);

describe('placeTiles, on random tiles with budgets from the minimum to everything', () => {
  const cases = Array.from({ length: 40 }, (_, seed) => {
    const random = createRandom(seed);
    const sizes = (count: number) => Array.from({ length: count }, () => random.int(1, 9));
    const dense = tilesOf(sizes(random.int(1, 60)));
    const experts = tilesOf(sizes(seed % 2 === 0 ? 0 : random.int(1, 30)), dense.length);
    const minimum = minimumPlacementBytes(dense, experts);
    const everything = bytesOf(dense) + bytesOf(experts) + 10 * experts.length * PAGE;
    const budgets = Array.from({ length: 60 }, (_, i) => minimum + ((everything - minimum) * i) / 59);
    return {
      dense,
      experts,
      budgets,
      placements: budgets.map((b) => placeTiles(dense, experts, { hostBytes: b })),
    };
  });

  it('never takes more than the budget, and says what it takes', () => {
    for (const { dense, budgets, placements } of cases) {
      placements.forEach((placement, i) => {
        const { pinned, pinnedBytes, ringSlots, ringSlotBytes, expertSlots, expertSlotBytes, totalBytes } =
          placement;
        expect(pinnedBytes).toBe(bytesOf(dense.filter((tile) => pinned[tile.index])));
        expect(totalBytes).toBe(pinnedBytes + ringSlots * ringSlotBytes + expertSlots * expertSlotBytes);
        expect(totalBytes).toBeLessThanOrEqual(budgets[i] ?? 0);
      });
    }
  });

  it('streams through at least two slots that hold any tile, unless every tile is pinned', () => {
    for (const { dense, placements } of cases) {
      const largest = Math.max(...dense.map((tile) => tile.bufferBytes));
      for (const { pinned, ringSlots, ringSlotBytes } of placements) {
        if (pinned.every(Boolean)) expect([ringSlots, ringSlotBytes]).toEqual([0, 0]);
        else {
          expect(ringSlots).toBeGreaterThanOrEqual(2);
          expect(ringSlotBytes).toBe(largest);
        }
      }
    }
  });

  it('keeps what a smaller budget with as many slots kept', () => {
    for (const { dense, placements } of cases) {
      placements.slice(1).forEach((larger, i) => {
        const smaller = placements[i];
        if (smaller?.ringSlots !== larger.ringSlots) return;
        const lost = dense.filter(({ index }) => smaller.pinned[index] && !larger.pinned[index]);
        expect(lost).toEqual([]);
      });
    }
  });

  it('leaves less than one more tile unpinned room', () => {
    for (const { dense, experts, budgets, placements } of cases) {
      if (experts.length > 0) continue;
      const largest = Math.max(...dense.map((tile) => tile.bufferBytes));
      placements.forEach(({ pinned, totalBytes }, i) => {
        if (!pinned.every(Boolean)) expect((budgets[i] ?? 0) - totalBytes).toBeLessThan(largest);
      });
    }
  });

  it('gives experts four slots at least, more with what is left over, and never more than there are experts', () => {
    for (const { experts, placements } of cases) {
      for (const { expertSlots, expertSlotBytes } of placements) {
        expect(expertSlots).toBeGreaterThanOrEqual(Math.min(4, experts.length));
        expect(expertSlots).toBeLessThanOrEqual(experts.length);
        expect(expertSlotBytes).toBe(Math.max(0, ...experts.map((tile) => tile.bufferBytes)));
      }
      expect(placements.at(-1)?.expertSlots).toBe(experts.length);
    }
  });

  it('pins everything when everything fits', () => {
    for (const { placements } of cases) expect(placements.at(-1)?.pinned.every(Boolean)).toBe(true);
  });

  it('refuses one byte less than the minimum and names the minimum', () => {
    for (const { dense, experts } of cases) {
      const minimumBytes = minimumPlacementBytes(dense, experts);
      expect(() => placeTiles(dense, experts, { hostBytes: minimumBytes - 1 })).toThrow(
        expect.objectContaining({
          code: 'BUDGET_TOO_SMALL',
          fields: { minimumBytes, budgetBytes: minimumBytes - 1 },
          message: expect.stringContaining(`at least ${minimumBytes} bytes`),
        }),
      );
    }
  });
});

describe('placeTiles with a device that has memory of its own', () => {
  const dense = tilesOf([1, 3, 2, 2, 1, 3, 2, 1, 1, 2]);
  const experts = tilesOf([2, 2, 2, 2, 2], dense.length);
  const all = bytesOf(dense);
  const ample = { hostBytes: 100 * PAGE };

  it('fills the device first, evenly spread, and gives host memory to the rest', () => {
    for (let pages = 0; pages <= all / PAGE; pages++) {
      const deviceBudget = pages * PAGE;
      const placed = placeTiles(dense, [], { ...ample, deviceBytes: deviceBudget });
      const onDevice = dense.filter(({ index }) => placed.onDevice[index]);
      expect(placed.deviceBytes).toBe(bytesOf(onDevice));
      expect(placed.deviceBytes).toBeLessThanOrEqual(deviceBudget);
      // The largest tile has three pages: less than one is left over.
      expect(deviceBudget - placed.deviceBytes).toBeLessThan(3 * PAGE);
      expect(placed.pinned).toEqual(placed.onDevice.map((there) => !there));
    }
  });

  it('counts the host memory that tiles pass through on their way to it', () => {
    // Everything on the device: two tiles of three pages on their way, no ring, nothing pinned.
    expect(placeTiles(dense, [], { hostBytes: 6 * PAGE + 6 * PAGE, deviceBytes: all })).toMatchObject({
      ...{ deviceBytes: all, loadingBytes: 6 * PAGE, pinnedBytes: 0, ringSlots: 0, totalBytes: 6 * PAGE },
    });
  });

  it('streams what fits in neither, within the host budget', () => {
    // In spread order tiles 0, 8, 4 and 2 have 1 + 1 + 1 + 2 pages, and the next has two more. Of these, two of two pages
    // are on their way at once; two slots of three pages are the ring, and the first of the rest, of three, has no room.
    const placed = placeTiles(dense, [], { hostBytes: 12 * PAGE, deviceBytes: 6 * PAGE });
    expect(placed).toMatchObject({ deviceBytes: 5 * PAGE, loadingBytes: 4 * PAGE });
    expect(placed).toMatchObject({ pinnedBytes: 0, ringSlots: 2, totalBytes: 10 * PAGE });
  });

  it('refuses a host budget without room for both, naming what works', () => {
    expect(() => placeTiles(dense, [], { hostBytes: 12 * PAGE - 1, deviceBytes: PAGE })).toThrow(
      expect.objectContaining({
        code: 'BUDGET_TOO_SMALL',
        fields: expect.objectContaining({ minimumBytes: 12 * PAGE }),
      }),
    );
  });

  it('leaves experts in host memory', () => {
    const placed = placeTiles(dense, experts, { ...ample, deviceBytes: 100 * PAGE });
    expect(placed).toMatchObject({ deviceBytes: all, expertSlots: 5 });
  });
});

describe('minimumPlacementBytes', () => {
  it('is two slots for the largest dense tile and four for the largest expert', () => {
    const dense = tilesOf([1, 3, 2, 2]);
    const experts = tilesOf([5, 5, 1, 1, 1], 4);
    expect(minimumPlacementBytes(dense, experts)).toBe((2 * 3 + 4 * 5) * PAGE);
  });

  it('is the size of the model where that is less', () => {
    expect(minimumPlacementBytes(tilesOf([3, 1]), [])).toBe(4 * PAGE);
    expect(minimumPlacementBytes(tilesOf([3]), tilesOf([2], 1))).toBe(5 * PAGE);
  });
});

describe('spreadOrder', () => {
  it.each([0, 1, 2, 3, 5, 8, 13, 100, 1023])('is a permutation of %i indices', (count) => {
    expect(spreadOrder(count).sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
  });

  it('is the bit-reversed order for a power of two', () => {
    expect(spreadOrder(8)).toEqual([0, 4, 2, 6, 1, 5, 3, 7]);
  });

  it('leaves no gap above four times the even one in any prefix', () => {
    for (const count of [2, 7, 33, 100, 257]) {
      const order = spreadOrder(count);
      for (let taken = 1; taken <= count; taken++) {
        const marks = order.slice(0, taken).sort((a, b) => a - b);
        const gaps = marks.map((mark, i) => (marks[i + 1] ?? count) - mark);
        expect(Math.max(...gaps)).toBeLessThanOrEqual((4 * count) / taken);
      }
    }
  });
});
