// Finds the pnpm that package.json asks for: the one on PATH when its version is right, else one that npm fetches and
// puts on PATH for the command it runs, which matters because turbo calls pnpm itself.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { root } from './paths.mjs';

const VERSION_TIMEOUT_MS = 20_000;

/** Returns `{ command, args, label }`: what to spawn, and the arguments that come before pnpm's own. */
export function resolvePnpm() {
  const version = wantedVersion();
  if (versionOnPath() === version) return { command: 'pnpm', args: [], label: `pnpm ${version}` };
  const npm = resolveNpm();
  return {
    command: npm.command,
    args: [...npm.args, 'exec', '--yes', `--package=pnpm@${version}`, '--', 'pnpm'],
    label: `pnpm ${version} through npm`,
  };
}

function wantedVersion() {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return /^pnpm@([^+]+)/.exec(packageManager)[1];
}

// Asked from outside the repository: inside it, pnpm would first fetch the version that packageManager names.
function versionOnPath() {
  const env = { ...process.env, COREPACK_ENABLE_NETWORK: '0', COREPACK_ENABLE_DOWNLOAD_PROMPT: '0' };
  const options = { cwd: tmpdir(), env, encoding: 'utf8', timeout: VERSION_TIMEOUT_MS };
  return spawnSync('pnpm', ['--version'], options).stdout?.trim();
}

// npm's own script is run by this node where it can be found: no shell, no .cmd file, the same on every platform.
function resolveNpm() {
  const beside = join(dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js');
  const candidates = [process.env.npm_execpath, beside];
  const script = candidates.find((path) => path && basename(path) === 'npm-cli.js' && existsSync(path));
  return script ? { command: process.execPath, args: [script] } : { command: 'npm', args: [] };
}
