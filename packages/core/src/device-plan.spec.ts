import { divideDevice } from './device-plan.js';

const MIB = 2 ** 20;
/** A backend that takes an eighth of 128 MiB for itself, half of that for weights on their way. */
const device = { limitBytes: 128 * MIB, ownBytes: 16 * MIB, stagingBytes: 8 * MIB, sharedBytes: 0 };
const run = (deviceBytes: number, smallest = deviceBytes) => ({
  demand: { hostBytes: 0, deviceBytes },
  smallest,
});

it('weights get what the backend and the run leave', () => {
  expect(divideDevice(device, run(20 * MIB))).toEqual({
    ...{ runBytes: 20 * MIB, weightBytes: 92 * MIB, minimumBytes: 64 * MIB },
    // A quarter of what is for weights on their way.
    largestTileBytes: 2 * MIB,
  });
});

it('the smallest budget has room for the smallest run beside as large a part for the backend', () => {
  // 7 of 8 parts are to hold 70 MiB.
  expect(divideDevice(device, run(90 * MIB, 70 * MIB)).minimumBytes).toBe(80 * MIB);
});

it.each([
  ['less than a backend needs', { ...device, limitBytes: 63 * MIB }, run(MIB), 64 * MIB],
  ['no room for the run', device, run(126 * MIB), 144 * MIB],
])('%s is refused with what works', (_, budget, demand, minimumDeviceBytes) => {
  expect(() => divideDevice(budget, demand)).toThrow(
    expect.objectContaining({
      code: 'BUDGET_TOO_SMALL',
      fields: { minimumDeviceBytes, deviceBytes: budget.limitBytes },
    }),
  );
});
