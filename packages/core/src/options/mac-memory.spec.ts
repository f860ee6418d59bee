// As `vm_stat` prints it on Apple silicon.

import { parseVmStat } from './mac-memory.js';

const OUTPUT = `Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                               12345.
Pages active:                            301234.
Pages inactive:                          298765.
Pages speculative:                         4321.
Pages throttled:                              0.
Pages wired down:                        150000.
Pages purgeable:                          10001.
"Translation faults":                1234567890.
Pages stored in compressor:              250000.
`;

it('counts what is free and what can be made free', () => {
  // 12345 + 298765 + 4321 + 10001 pages.
  expect(parseVmStat(OUTPUT)).toBe(325432 * 16384);
});

it.each([
  ['nothing', ''],
  ['no page size', OUTPUT.replace('16384', 'some')],
  ['a line that is missing', OUTPUT.replace('Pages inactive', 'Pages idle')],
])('knows nothing from %s', (_, output) => {
  expect(parseVmStat(output)).toBeUndefined();
});
