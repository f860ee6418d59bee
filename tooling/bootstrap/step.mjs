// Runs one tool as one printed line: its full output goes to a log under .cache/logs, and only a failure shows the
// end of that log. What a failure means is diagnose.mjs' part.
import { spawn } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { finished } from 'node:stream/promises';
import { diagnose } from './diagnose.mjs';
import { logFolder, root } from './paths.mjs';
import { StepError } from './step-error.mjs';

const TAIL_LINES = 40;
const SIGN_OF_LIFE_MS = 15_000;

/** Runs a command's main function; a StepError is printed as its message, and any error sets exit code 1. */
export async function runCommand(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    console.error(error instanceof StepError ? `\n${error.message}` : error);
    process.exitCode = 1;
  }
}

/**
 * Runs `command args` at the repository root, printing `title` and the seconds it took. `skipCode` is an exit code by
 * which the tool says that it did not run.
 * Returns `{ exitCode, log, logPath }` where `log` is everything the tool wrote.
 */
export async function runLogged(title, { name, command, args, env = {}, skipCode }) {
  const logPath = join(logFolder, `${name}.log`);
  const log = createWriteStream(logPath);
  const startedAt = performance.now();
  process.stdout.write(`${title} … `);
  const signOfLife = setInterval(() => process.stdout.write('. '), SIGN_OF_LIFE_MS);
  const exitCode = await new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      // `npm test --silent` would otherwise silence pnpm too, and leave a failure without a word.
      env: { ...process.env, npm_config_loglevel: 'warn', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.on('error', (error) => {
      log.write(`${command}: ${error.message}\n`);
      resolve(127);
    });
    child.on('close', (code, signal) => {
      if (signal) log.write(`${command}: ended by ${signal}\n`);
      resolve(code ?? 1);
    });
  });
  clearInterval(signOfLife);
  log.end();
  await finished(log);
  const seconds = (performance.now() - startedAt) / 1000;
  const outcome = exitCode === 0 ? '' : exitCode === skipCode ? 'skipped after ' : 'failed after ';
  process.stdout.write(`${outcome}${seconds.toFixed(1)} s\n`);
  return { exitCode, logPath: relative(root, logPath), log: readFileSync(logPath, 'utf8') };
}

/** As `runLogged`, but a failure throws a StepError with the failing tool, a hint and the end of the log. */
export async function runStep(title, options) {
  const result = await runLogged(title, options);
  if (result.exitCode !== 0) throw new StepError(describeFailure(options.tool ?? options.name, result));
  return result;
}

function describeFailure(tool, { log, logPath, exitCode }) {
  const lines = log.trimEnd().split('\n');
  const { culprit, hint } = diagnose(log);
  return [
    ...lines.slice(-TAIL_LINES).map((line) => `  ${line}`),
    '',
    `${culprit ?? tool} failed (exit code ${exitCode}); the full output is in ${logPath}`,
    ...(hint ? [hint] : []),
  ].join('\n');
}
