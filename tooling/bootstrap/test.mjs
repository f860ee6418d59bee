// `npm test`: installs, builds, runs every test there is and ends with one line of totals. Skips are listed above it
// with their reasons; failures are shown in full.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main as build } from './build.mjs';
import { runJest } from './jest.mjs';
import { runNativeTests } from './native-tests.mjs';
import { cacheFolder } from './paths.mjs';
import { StepError } from './step-error.mjs';
import { addTotals, printFailures, printSkips, printTotals } from './totals.mjs';

const ALL_FLAVOURS = ['plain', 'asan', 'tsan', 'neon'];

/** `--only <pattern>` runs the test files whose path matches, and no native tests. Returns the exit code. */
export async function main(args) {
  const only = parseOnly(args);
  const totals = addTotals(await runAll(only));
  writeFileSync(join(cacheFolder, 'totals.json'), JSON.stringify(totals));
  printFailures(totals);
  printSkips(totals);
  printTotals(totals);
  return totals.failed === 0 ? 0 : 1;
}

// A project that cannot be built has one failure, so that the last line is there all the same.
async function runAll(only) {
  try {
    await build();
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    return [
      { passed: 0, failed: 1, skips: [], failures: [{ where: 'install and build', message: error.message }] },
    ];
  }
  const flavours = process.env.CI ? ALL_FLAVOURS : ['plain'];
  const jest = await runJest(only);
  const native = only === undefined ? await runNativeTests(flavours) : [];
  return [jest, ...native];
}

function parseOnly(args) {
  if (args.length === 0) return undefined;
  const [flag, pattern, ...rest] = args;
  if (flag !== '--only' || !pattern || rest.length > 0) {
    throw new StepError(`Expected no arguments or --only <pattern>, found ${args.join(' ')}`);
  }
  return pattern;
}
