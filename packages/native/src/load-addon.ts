// Finds and loads the binary of a native addon: a prebuilt platform package first, then the local build.

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NativeAddonError } from './errors.js';
import { installHint } from './toolchain.js';

export interface LoadAddonOptions {
  /** Folder of the package whose addon is loaded: where its package.json lies. */
  packageDir: URL | string;
  /** File name of the binary without `.node`. */
  name: string;
}

/**
 * Loads `<name>.node` of the platform package, `<name of the package>-<platform>-<arch>`, else that of
 * `<packageDir>/build/Release`.
 *
 * @throws NativeAddonError `ADDON_NOT_BUILT` when neither exists, `ADDON_LOAD_FAILED` when one exists but does
 * not load; the message lists every place tried and why it failed.
 * @example
 * const binding = loadAddon<Binding>({ packageDir: new URL('..', import.meta.url), name: 'cpu' });
 */
export function loadAddon<T>(options: LoadAddonOptions): T {
  const { packageDir, name } = options;
  const folder = packageDir instanceof URL ? fileURLToPath(packageDir) : packageDir;
  const requireFrom = createRequire(join(folder, 'package.json'));
  const candidates = [
    `${packageName(folder)}-${process.platform}-${process.arch}/${name}.node`,
    join(folder, 'build', 'Release', `${name}.node`),
  ];
  const failures: { candidate: string; found: boolean; cause: unknown }[] = [];
  for (const candidate of candidates) {
    try {
      return requireFrom(candidate) as T;
    } catch (cause) {
      failures.push({ candidate, found: exists(requireFrom, candidate), cause });
    }
  }
  throw describeFailures(name, failures);
}

function packageName(folder: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'name' in manifest ? String(manifest.name) : '';
}

function exists(requireFrom: NodeJS.Require, candidate: string): boolean {
  try {
    return existsSync(requireFrom.resolve(candidate));
  } catch {
    return false;
  }
}

function describeFailures(
  name: string,
  failures: readonly { candidate: string; found: boolean; cause: unknown }[],
): NativeAddonError {
  const broken = failures.find((failure) => failure.found);
  const platform = `${process.platform}-${process.arch}`;
  const tried = failures.map(({ candidate, found, cause }) => {
    return `  - ${candidate}: ${found ? firstLine(cause) : 'not found'}`;
  });
  const next = broken
    ? `Rebuild it with a compiler of this machine (delete the package's build folder, then run its build script).`
    : `Build it: ${installHint(process.platform)}, then run the package's build script.`;
  const message = [`Expected the native addon "${name}" for ${platform} but none loads:`, ...tried, next];
  return new NativeAddonError(broken ? 'ADDON_LOAD_FAILED' : 'ADDON_NOT_BUILT', message.join('\n'), {
    fields: { name, platform, tried: failures.map((failure) => failure.candidate) },
    cause: (broken ?? failures.at(-1))?.cause,
  });
}

function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split('\n', 1)[0] ?? '';
}
