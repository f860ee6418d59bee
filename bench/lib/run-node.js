// Runs a program in a process of its own and reads the JSON on the last line of its output.

import { spawn } from 'node:child_process';
import { createMemoryCgroup } from './memory-cgroup.js';

/** Joins the group whose file is $0, then becomes the program. */
const JOIN = 'echo $$ > "$0" && exec "$@"';

/** `args` are a script and its arguments. As {@link runProcess}. */
export function runNode(args, options) {
  return runProcess([process.execPath, ...args], options);
}

/**
 * With `limitBytes` it runs under a hard memory limit, and `peakBytes` is what its control group counted.
 * Resolves to { exitCode, result, peakBytes? }; rejects when there is no result.
 */
export async function runProcess(command, { env = {}, limitBytes } = {}) {
  const group = limitBytes === undefined ? undefined : await createMemoryCgroup(limitBytes);
  try {
    const [file, ...args] = group ? ['/bin/sh', '-c', JOIN, group.procsFile, ...command] : command;
    const child = spawn(file, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text) => (output += text));
    const exitCode = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(code ?? signal));
    });
    const result = parseLastLine(output, `${command.slice(0, 2).join(' ')} ended with ${exitCode}`);
    return { exitCode, result, ...(group && { peakBytes: await group.readPeakBytes() }) };
  } finally {
    await group?.remove();
  }
}

function parseLastLine(output, ending) {
  try {
    return JSON.parse(output.trimEnd().split('\n').at(-1) ?? '');
  } catch (cause) {
    throw new Error(`Expected a figure but ${ending}`, { cause });
  }
}
