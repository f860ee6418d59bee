import { machineNotices } from './machine-notices.js';

const machine = {
  hostBytes: 2e9,
  availableBytes: 2e9,
  bufferedReason: undefined,
  readFallbackReason: undefined,
};

it('has nothing to say about a budget that is there and reads that are direct', () => {
  expect(machineNotices(machine)).toEqual([]);
});

it('warns of a budget above what the machine has, with both', () => {
  const [notice, ...others] = machineNotices({ ...machine, hostBytes: 2_100_000_000 });
  expect(others).toEqual([]);
  expect(notice).toMatch(/2100MB.*2000MB/);
});

it('says that reads are buffered, and why', () => {
  const bufferedReason = 'the file system refuses direct reads';
  expect(machineNotices({ ...machine, bufferedReason })).toEqual([expect.stringContaining(bufferedReason)]);
});

it('says that the native reader is not there, and why', () => {
  const readFallbackReason = 'Expected the native addon "direct_io" but none loads.';
  const [notice] = machineNotices({ ...machine, readFallbackReason });
  expect(notice).toContain('node:fs');
  expect(notice).toContain(readFallbackReason);
});
