// `npm start`: installs, builds, then asks the embedded model. What the demo says and shows is the command line's part.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { main as build } from './build.mjs';
import { root } from './paths.mjs';
import { StepError } from './step-error.mjs';

const cli = join(root, 'apps', 'cli', 'dist', 'bin.js');

/** Arguments after `npm start --` go to the demo command. Returns its exit code. */
export async function main(args) {
  await build();
  if (!existsSync(cli))
    throw new StepError(`Expected the build to leave the command line at ${cli}, found no file.`);
  console.log('run: airllm demo\n');
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [cli, 'demo', ...args], { cwd: root, stdio: 'inherit' });
    child.on('close', (code, signal) => {
      if (signal) console.error(`airllm demo was ended by ${signal}`);
      resolve(code ?? 1);
    });
  });
}
