// Runs jest over every project and returns its totals. The counts come from the reporter in @airllm/jest-preset, which
// alone sees the console lines that explain a skip.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { cacheFolder, root } from './paths.mjs';
import { runLogged } from './step.mjs';

const resultFile = join(cacheFolder, 'jest-results.json');
const TAIL_LINES = 30;

export async function runJest(only) {
  rmSync(resultFile, { force: true });
  const { exitCode, log, logPath } = await runLogged(
    only ? `test: jest, files matching ${only}` : 'test: jest',
    {
      name: 'jest',
      command: process.execPath,
      args: [
        '--experimental-vm-modules',
        '--no-warnings',
        join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
        '--no-color',
        // With one test file jest turns verbose by itself and hides console lines from reporters.
        '--verbose=false',
        '--reporters=default',
        '--reporters=@airllm/jest-preset/totals-reporter',
        `--maxWorkers=${Math.max(2, Math.floor(availableParallelism() / 2))}`,
        ...(only ? [only] : []),
      ],
      env: { AIRLLM_JEST_RESULTS: resultFile },
    },
  );
  const result = existsSync(resultFile) ? JSON.parse(readFileSync(resultFile, 'utf8')) : emptyResult();
  if (exitCode !== 0 && result.failed === 0) {
    const tail = log.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
    result.failed = 1;
    result.failures.push({
      where: `jest (exit code ${exitCode}, no failing test; see ${logPath})`,
      message: tail,
    });
  }
  return result;
}

function emptyResult() {
  return { passed: 0, failed: 0, skips: [], failures: [] };
}
