import { addTestFile, createSummary } from '@airllm/jest-preset/totals-reporter';
import { addTotals } from '../totals.mjs';

const test = (status, fullName = status) => ({ status, fullName, failureMessages: [`${fullName} message`] });
const summarize = (...files) => {
  const summary = createSummary();
  for (const each of files) addTestFile(summary, each, '/repo');
  return summary;
};
const file = (name, testResults, rest = {}) => ({ testFilePath: `/repo/${name}`, testResults, ...rest });

describe('the totals of a jest run', () => {
  it('count each status once', () => {
    const result = file('a.spec.ts', [test('passed'), test('passed'), test('failed'), test('todo')]);
    expect(summarize(result)).toEqual({
      passed: 2,
      failed: 1,
      failures: [{ where: 'a.spec.ts › failed', message: 'failed message' }],
      skips: [{ where: 'a.spec.ts', count: 1, reason: 'no reason given: the test must console.warn one' }],
    });
  });

  it('take the reason of a skip from the warnings of its file', () => {
    const console = [
      { type: 'log', message: 'skipped is not said here' },
      { type: 'warn', message: 'SKIPPED: no shared data' },
      { type: 'warn', message: 'SKIPPED: no shared data' },
    ];
    const [skip] = summarize(file('a.spec.ts', [test('pending')], { console })).skips;
    expect(skip.reason).toBe('no shared data');
  });

  it('count a file that could not be run as a failure', () => {
    const good = file('good.spec.ts', [test('passed')]);
    expect(summarize(good, file('broken.spec.ts', [], { failureMessage: 'SyntaxError' }))).toMatchObject({
      passed: 1,
      failed: 1,
      failures: [{ where: 'broken.spec.ts', message: 'SyntaxError' }],
    });
  });
});

it('adds runs: 2 + 3 passed, 0 + 1 failed, 4 + 1 skipped', () => {
  const skip = (count) => ({ where: 'x', count, reason: 'r' });
  const runs = [
    { passed: 2, failed: 0, skips: [skip(4)], failures: [] },
    { passed: 3, failed: 1, skips: [skip(1)], failures: [{ where: 'y', message: 'm' }] },
  ];
  expect(addTotals(runs)).toMatchObject({
    passed: 5,
    failed: 1,
    skipped: 5,
    failures: [{ where: 'y', message: 'm' }],
  });
});
