// Remembers what a build was made from, so that an unchanged one is skipped.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** Hashes of what a build depends on, apart because another toolchain needs a build from nothing. */
export interface BuildStamp {
  readonly sources: string;
  readonly toolchain: string;
}

/**
 * The stamp of `native/**`, `CMakeLists.txt` and `package.json` in `packageDir`, of `cmakeFolder`, and of the folders that
 * `airllm.nativeSources` of package.json names, as they are now.
 */
export function currentStamp(packageDir: string, toolchainVersions: string, cmakeFolder: string): BuildStamp {
  const sources = createHash('sha256');
  const shared = readdirSync(cmakeFolder).sort();
  for (const file of [...sourceFiles(packageDir), ...shared.map((name) => join(cmakeFolder, name))]) {
    sources
      .update(`${relative(packageDir, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  const { CXX, CXXFLAGS, LDFLAGS } = process.env;
  const settings = [process.platform, process.arch, packageDir, toolchainVersions, CXX, CXXFLAGS, LDFLAGS];
  const toolchain = createHash('sha256').update(JSON.stringify(settings));
  return { sources: sources.digest('hex'), toolchain: toolchain.digest('hex') };
}

export function readStamp(path: string): BuildStamp | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as BuildStamp;
  } catch {
    return undefined;
  }
}

export function writeStamp(path: string, stamp: BuildStamp): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(stamp)}\n`);
}

function sourceFiles(packageDir: string): string[] {
  const packageJson = join(packageDir, 'package.json');
  const native = ['native', ...sharedFolders(packageJson)].flatMap((folder) =>
    readdirSync(join(packageDir, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(cc|h|mm|metal|cu|cmake)$/.test(name))
      .map((name) => join(packageDir, folder, name)),
  );
  return [...native.sort(), join(packageDir, 'CMakeLists.txt'), packageJson];
}

function sharedFolders(packageJson: string): string[] {
  const json = JSON.parse(readFileSync(packageJson, 'utf8')) as { airllm?: { nativeSources?: string[] } };
  return json.airllm?.nativeSources ?? [];
}
