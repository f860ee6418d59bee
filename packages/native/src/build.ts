// Builds the native addon of the package in a folder: the `airllm-build-native` command.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { currentStamp, readStamp, writeStamp } from './build-stamp.js';
import { NativeAddonError } from './errors.js';
import { findToolchain, installHint, knowsCpp20, type Toolchain } from './toolchain.js';

const LOG_LINES_SHOWN = 30;
/** What the packages' CMakeLists.txt share. */
const CMAKE_FOLDER = fileURLToPath(new URL('../cmake', import.meta.url));

/**
 * Builds `<packageDir>/build/Release/*.node` with cmake-js unless it is there and unchanged.
 * Without a compiler or CMake, or with `AIRLLM_NO_NATIVE=1`, prints one line and leaves the package to its
 * TypeScript reference.
 *
 * @returns the exit code: 0 when built, up to date or skipped; 1 when tools are there but the build fails.
 */
export async function main(packageDir: string): Promise<number> {
  const name = packageName(packageDir);
  try {
    console.log(`${name}: ${buildAddon(packageDir)}`);
    return 0;
  } catch (error) {
    if (!NativeAddonError.isInstance(error)) throw error;
    console.error(`${name}: ${error.message}`);
    return 1;
  }
}

/**
 * As {@link main}, returning the line to print.
 *
 * @throws NativeAddonError `ADDON_BUILD_FAILED`
 */
export function buildAddon(packageDir: string): string {
  if (process.env['AIRLLM_NO_NATIVE'] === '1') {
    return 'native addon skipped (AIRLLM_NO_NATIVE=1); the TypeScript reference takes over';
  }
  const search = findToolchain();
  if ('missing' in search) return skippedFor(search.missing);

  const { toolchain } = search;
  const buildDir = join(packageDir, 'build');
  const stampPath = join(buildDir, 'airllm-build.json');
  const stamp = currentStamp(packageDir, toolchain.versions, CMAKE_FOLDER);
  const previous = readStamp(stampPath);
  if (previous?.sources === stamp.sources && previous.toolchain === stamp.toolchain) {
    return 'native addon is up to date';
  }
  if (!knowsCpp20(toolchain)) return skippedFor(['a C++20 compiler']);

  if (previous?.toolchain !== stamp.toolchain) rmSync(buildDir, { recursive: true, force: true });
  rmSync(stampPath, { force: true });
  runCmakeJs(packageDir, buildDir, toolchain);
  writeStamp(stampPath, stamp);
  return `native addon built with ${toolchain.versions}`;
}

function skippedFor(missing: readonly string[]): string {
  const hint = installHint(process.platform);
  return `${missing.join(' and ')} not found (${hint}); the TypeScript reference takes over`;
}

function runCmakeJs(packageDir: string, buildDir: string, toolchain: Toolchain): void {
  const require = createRequire(import.meta.url);
  const cmakeJs = join(dirname(require.resolve('cmake-js/package.json')), 'bin', 'cmake-js');
  const addonApi = dirname(require.resolve('node-addon-api/package.json'));
  const args = [cmakeJs, 'build', '--directory', packageDir, '--parallel', '4'];
  args.push(`--CDAIRLLM_NODE_ADDON_API=${addonApi}`, `--CDAIRLLM_CMAKE=${CMAKE_FOLDER}`);
  if (process.platform !== 'win32') args.push(`--CDCMAKE_CXX_COMPILER=${toolchain.compiler}`);
  const result = spawnSync(process.execPath, args, {
    env: process.env,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  mkdirSync(buildDir, { recursive: true });
  const logPath = join(buildDir, 'airllm-build.log');
  const log = `${result.stdout}${result.stderr}`;
  writeFileSync(logPath, log);
  if (result.status === 0) return;

  // CMake's own complaints come before any compilation; without its cache it never got that far.
  const configured = existsSync(join(buildDir, 'CMakeCache.txt')) && !log.includes('CMake Error');
  const tool = configured ? toolchain.compiler : `cmake with ${toolchain.compiler}`;
  const tail = log.trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n');
  throw new NativeAddonError(
    'ADDON_BUILD_FAILED',
    `Expected ${tool} (${toolchain.versions}) to build the native addon but it failed. Repair it, or set AIRLLM_NO_NATIVE=1 to run without. Log: ${logPath}\n${tail}`,
    { fields: { tool, logPath }, cause: result.error },
  );
}

function packageName(packageDir: string): string {
  const json: unknown = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8'));
  return typeof json === 'object' && json !== null && 'name' in json ? String(json.name) : packageDir;
}
