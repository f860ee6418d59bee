import { summarizeResults } from '@airllm/jest-preset/totals-reporter';
import { addTotals } from '../totals.mjs';

const test = (status, fullName = status) => ({ status, fullName, failureMessages: [`${fullName} message`] });
const file = (name, testResults, rest = {}) => ({ testFilePath: `/repo/${name}`, testResults, ...rest });

describe('the totals of a jest run', () => {
  it('count each status once', () => {
    const results = [file('a.spec.ts', [test('passed'), test('passed'), test('failed'), test('todo')])];
    expect(summarizeResults(results, '/repo')).toEqual({
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
    const [skip] = summarizeResults([file('a.spec.ts', [test('pending')], { console })], '/repo').skips;
    expect(skip.reason).toBe('no shared data');
  });

  it('count a file that could not be run as a failure', () => {
    const results = [file('broken.spec.ts', [], { failureMessage: 'SyntaxError' })];
    expect(summarizeResults(results, '/repo')).toMatchObject({
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
