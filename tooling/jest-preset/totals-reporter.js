// A jest reporter that writes the totals of a run as JSON to AIRLLM_JEST_RESULTS, for `npm test`: counts, each failure
// with its message, and each file's skips with the console.warn lines that gave the reason.
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

const NO_REASON = 'no reason given: the test must console.warn one';

/** The totals of no file yet. */
export function createSummary() {
  return { passed: 0, failed: 0, skips: [], failures: [] };
}

/** Adds one file's result, as jest reports it, to `summary`; its path becomes relative to `root`. */
export function addTestFile(summary, file, root) {
  const where = relative(root, file.testFilePath);
  const withStatus = (...statuses) => file.testResults.filter((test) => statuses.includes(test.status));
  const failed = withStatus('failed');
  const skipped = withStatus('pending', 'todo', 'skipped', 'disabled');
  summary.passed += withStatus('passed').length;
  summary.failed += failed.length;
  for (const test of failed) {
    summary.failures.push({ where: `${where} › ${test.fullName}`, message: test.failureMessages.join('\n') });
  }
  // A file that could not be run at all has no test to blame; it counts as one failure.
  if (failed.length === 0 && file.failureMessage) {
    summary.failed += 1;
    summary.failures.push({ where, message: file.failureMessage });
  }
  if (skipped.length > 0)
    summary.skips.push({ where, count: skipped.length, reason: findReason(file.console) });
}

function findReason(lines) {
  const warnings = (lines ?? []).filter((line) => line.type === 'warn').map((line) => line.message.trim());
  const about = warnings.filter((message) => /skip/i.test(message));
  const reasons = new Set(
    (about.length > 0 ? about : warnings).map((message) => message.replace(/^skipped:?\s*/i, '')),
  );
  return [...reasons].join('; ').replaceAll('\n', ' ') || NO_REASON;
}

export default class TotalsReporter {
  constructor(globalConfig) {
    this.root = globalConfig.rootDir;
    this.summary = createSummary();
  }

  // Here and not at the end of the run: jest drops a file's console lines once it has been reported.
  onTestResult(_test, testResult) {
    addTestFile(this.summary, testResult, this.root);
  }

  onRunComplete() {
    const file = process.env.AIRLLM_JEST_RESULTS;
    if (file) writeFileSync(file, JSON.stringify(this.summary));
  }
}
