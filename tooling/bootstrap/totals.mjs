// Results of test runs and how they are told. One run is `{ passed, failed, skips, failures }`: counts, then lists of
// `{ where, count, reason }` and `{ where, message }`.

const MESSAGE_LINES = 50;

/** Sums runs into `{ passed, failed, skipped, skips, failures }`. */
export function addTotals(runs) {
  const skips = runs.flatMap((run) => run.skips);
  return {
    passed: sum(runs.map((run) => run.passed)),
    failed: sum(runs.map((run) => run.failed)),
    skipped: sum(skips.map((skip) => skip.count)),
    skips,
    failures: runs.flatMap((run) => run.failures),
  };
}

export function printFailures({ failures }) {
  for (const { where, message } of failures) {
    const lines = message.trimEnd().split('\n');
    const more =
      lines.length > MESSAGE_LINES ? [`… ${lines.length - MESSAGE_LINES} more lines in .cache/logs`] : [];
    console.log(`\nFAILED: ${where}`);
    for (const line of [...lines.slice(0, MESSAGE_LINES), ...more]) console.log(`  ${line}`);
  }
}

export function printSkips({ skips }) {
  if (skips.length > 0) console.log('');
  for (const { where, count, reason } of skips) console.log(`SKIPPED: ${where} (${count}): ${reason}`);
}

/** The last line of `npm test`. */
export function printTotals({ passed, failed, skipped }) {
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
