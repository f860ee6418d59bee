// Against what `sysctl` prints on Macs and what Metal recommends there (`recommendedMaxWorkingSetSize`, as printed by programs that ask it).

import { readMacFacts } from './mac-facts.js';
import { recommendedWorkingSet } from './working-set.js';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

async function workingSetOf(output: string): Promise<number | undefined> {
  const facts = await readMacFacts(() => Promise.resolve(output));
  return facts && recommendedWorkingSet(facts);
}

const mac = (gib: number, wiredLimitMb = 0): string =>
  `hw.memsize: ${gib * GIB}\nhw.optional.arm64: 1\niogpu.wired_limit_mb: ${wiredLimitMb}\n`;

it.each([
  // M1, M1 Max, M3 Pro, M2 Max: 10922.67, 21845.34, 27648 and 49152 MB.
  [16, 10922],
  [32, 21845],
  [36, 27648],
  [64, 49152],
])('of %i GiB it is %i MiB', async (gib, mib) => {
  expect(Math.floor(((await workingSetOf(mac(gib))) ?? NaN) / MIB)).toBe(mib);
});

it('is the limit that was set, never more than there is', async () => {
  expect(await workingSetOf(mac(128, 114688))).toBe(112 * GIB);
  expect(await workingSetOf(mac(16, 999999))).toBe(16 * GIB);
});

it('does not need the limit, which older systems do not have', async () => {
  expect(await workingSetOf(`hw.memsize: ${24 * GIB}\nhw.optional.arm64: 1\n`)).toBe(16 * GIB);
});

it('is not known on Intel', async () => {
  expect(await workingSetOf(`hw.memsize: ${16 * GIB}\n`)).toBeUndefined();
});

it.each(['', 'sysctl: unknown oid', 'hw.memsize: many\n', 'hw.memsize: -1\n'])(
  'takes no facts from %j',
  async (output) => {
    expect(await readMacFacts(() => Promise.resolve(output))).toBeUndefined();
  },
);
