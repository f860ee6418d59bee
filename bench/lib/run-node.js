// Runs a script in a Node.js process of its own and reads the JSON on the last line of its output.

import { spawn } from 'node:child_process';

/** `args` are the script and its arguments. Resolves to { exitCode, result }; rejects when there is no result. */
export async function runNode(args, { env = {} } = {}) {
  const child = spawn(process.execPath, args, {
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
  const lastLine = output.trimEnd().split('\n').at(-1) ?? '';
  try {
    return { exitCode, result: JSON.parse(lastLine) };
  } catch (cause) {
    throw new Error(`Expected a figure from ${args[0]} but it ended with ${exitCode}`, { cause });
  }
}
