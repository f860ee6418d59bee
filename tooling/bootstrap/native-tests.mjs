// Runs the C++ unit tests of every package that has native/run-tests.sh, once per flavour: plain, under the address or
// thread sanitizer, or for ARM under an emulator. Exit code 77 of the script means that a tool is missing.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { countDoctest } from './count-doctest.mjs';
import { listPackageFolders, prepareCacheFolder, root } from './paths.mjs';
import { runLogged } from './step.mjs';
import { addTotals, printFailures, printSkips, printTotals } from './totals.mjs';

const EXIT_TOOL_MISSING = 77;
const TAIL_LINES = 30;

/** `main.mjs test-native [flavour…]`: the native tests alone, without a build of the packages. */
export async function main(flavours) {
  prepareCacheFolder();
  const totals = addTotals(await runNativeTests(flavours.length > 0 ? flavours : ['plain']));
  printFailures(totals);
  printSkips(totals);
  printTotals(totals);
  return totals.failed === 0 ? 0 : 1;
}

/** Returns one result per package and flavour. */
export async function runNativeTests(flavours) {
  const scripts = listPackageFolders(['packages'])
    .map((folder) => `${folder}/native/run-tests.sh`)
    .filter((script) => existsSync(join(root, script)));
  const results = [];
  for (const script of scripts) {
    for (const flavour of flavours) results.push(await runFlavour(script, flavour));
  }
  return results;
}

async function runFlavour(script, flavour) {
  const where = `${script} ${flavour}`;
  const name = `native-${script.split('/')[1]}-${flavour}`;
  const { exitCode, log, logPath } = await runLogged(`test: ${where}`, {
    name,
    command: 'bash',
    args: [script, flavour],
    skipCode: EXIT_TOOL_MISSING,
  });
  const lines = log.trimEnd().split('\n');
  if (exitCode === EXIT_TOOL_MISSING) {
    const reason = lines.at(-1).replace(/^SKIPPED:?\s*/i, '') || 'a tool is missing';
    console.log(`SKIPPED: ${where}: ${reason}`);
    return { passed: 0, failed: 0, skips: [{ where, count: 1, reason }], failures: [] };
  }
  const counted = countDoctest(log);
  const crashed = exitCode !== 0 && !counted?.failed;
  const failed = (counted?.failed ?? 0) + (crashed ? 1 : 0);
  return {
    passed: counted?.passed ?? (exitCode === 0 ? 1 : 0),
    failed,
    skips: counted?.skipped
      ? [{ where, count: counted.skipped, reason: 'left out by doctest, see the test decorators' }]
      : [],
    failures: failed
      ? [
          {
            where: `${where} (exit code ${exitCode}; see ${logPath})`,
            message: lines.slice(-TAIL_LINES).join('\n'),
          },
        ]
      : [],
  };
}
