import { LayerStoreError, type LayerStore } from '@airllm/layer-store';
import { WeightRoom, type DeviceRoom } from './weight-room.js';

const MEMORY = 512_000;
const onHost = (hostBytes: number) => ({ hostBytes, deviceBytes: 0 });

/** A store that takes every budget from `minimumBytes` on, and notes it. */
function openRoom({
  minimumBytes = 0,
  reservedRunBytes = 0,
  device = undefined as DeviceRoom | undefined,
} = {}) {
  const budgets: number[] = [];
  const store = {
    minimumBytes,
    budgetBytes: MEMORY - reservedRunBytes,
    deviceBudgetBytes: 0,
    resize: (bytes: number, deviceBytes: number) => {
      if (bytes < minimumBytes)
        return Promise.reject(
          new LayerStoreError('BUDGET_TOO_SMALL', 'too small', { fields: { minimumBytes } }),
        );
      budgets.push(bytes);
      store.budgetBytes = bytes;
      store.deviceBudgetBytes = deviceBytes;
      return Promise.resolve();
    },
  };
  const process = { growth: 0, written: 0 };
  const room = new WeightRoom({
    store: store as unknown as LayerStore,
    reservedRunBytes,
    device,
    plannedMemoryBytes: MEMORY,
    memoryBytes: (written) => {
      process.written = written;
      return MEMORY - process.growth;
    },
  });
  return { room, store, budgets, process };
}

describe('the store gets', () => {
  it('what the run leaves, to the byte, and more when the next run needs less', async () => {
    const { room, budgets } = openRoom();
    for (const run of [1000, 1001, 1001, 10]) await room.makeRoom(onHost(run));
    expect(budgets).toEqual([MEMORY - 1000, MEMORY - 1001, MEMORY - 10]);
  });

  it('never what is reserved', async () => {
    const { room, budgets } = openRoom({ reservedRunBytes: 5000 });
    for (const run of [1, 6000, 1]) await room.makeRoom(onHost(run));
    expect(budgets).toEqual([MEMORY - 6000, MEMORY - 5000]);
  });

  it('less when the process has grown by more than a 512th, and that back later', async () => {
    const { room, budgets, process } = openRoom();
    for (const growth of [1000, 1001, 1900, 0]) {
      process.growth = growth;
      await room.makeRoom(onHost(0));
    }
    // 512000 / 512 = 1000 is not enough, and 900 more neither.
    expect(budgets).toEqual([MEMORY - 1001, MEMORY]);
    expect(room.memoryBytes).toBe(MEMORY);
  });
});

it('passes on what the run has written', async () => {
  const { room, process } = openRoom();
  await room.makeRoom(onHost(100), 40);
  expect(process.written).toBe(40);
});

it('does not refuse a run that was planned for because the process has grown: the store gets its smallest', async () => {
  const { room, budgets, process } = openRoom({ minimumBytes: 400_000 });
  process.growth = 200_000;
  expect(await room.makeRoom(onHost(MEMORY - 400_000))).toBeUndefined();
  expect(budgets).toEqual([400_000]);
  expect(await room.makeRoom(onHost(MEMORY - 400_000 + 1))).toMatchObject({ code: 'BUDGET_TOO_SMALL' });
  expect(room.memoryBytes).toBe(MEMORY);
});

it('returns the refusal of the store, which keeps what it has', async () => {
  const { room, budgets } = openRoom({ minimumBytes: MEMORY - 100 });
  expect(await room.makeRoom(onHost(101))).toMatchObject({ code: 'BUDGET_TOO_SMALL' });
  expect(budgets).toEqual([]);
  expect(await room.makeRoom(onHost(100))).toBeUndefined();
});

describe('of a device with memory of its own', () => {
  const device = { memoryBytes: 10_000, reservedRunBytes: 300 };

  it('the store gets what the run leaves, and never what is reserved', async () => {
    const { room, store } = openRoom({ device });
    expect(room.activationRoomBytes).toBe(10_000);
    for (const [deviceBytes, left] of [
      [4000, 6000],
      [10_000, 0],
      [1, 9700],
    ] as const) {
      expect(await room.makeRoom({ hostBytes: 10, deviceBytes })).toBeUndefined();
      expect(store).toMatchObject({ budgetBytes: MEMORY - 10, deviceBudgetBytes: left });
    }
  });

  it('a run that needs more is refused, naming what is missing, and nothing changes', async () => {
    const { room, budgets } = openRoom({ device });
    expect(await room.makeRoom({ hostBytes: 10, deviceBytes: 10_100 })).toMatchObject({
      code: 'BUDGET_TOO_SMALL',
      message: expect.stringContaining('memory.device'),
      fields: { missingBytes: 100 },
    });
    expect(budgets).toEqual([]);
  });
});
