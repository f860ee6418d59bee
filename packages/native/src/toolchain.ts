// The tools a native build needs: where they are, which versions, and what to install when they are absent.

import { spawnSync } from 'node:child_process';

/** A C++ compiler and CMake that answer to `--version`. */
export interface Toolchain {
  readonly compiler: string;
  /** What the tools said of themselves: a build made by others is not reused. */
  readonly versions: string;
}

/** The tools found, or the names of those that are not there. */
export type ToolchainSearch = { toolchain: Toolchain } | { missing: readonly string[] };

/**
 * Looks for `$CXX` or the usual compilers, and for CMake. On Windows CMake itself looks for Visual Studio.
 */
export function findToolchain(env: NodeJS.ProcessEnv = process.env): ToolchainSearch {
  const cmake = versionOf('cmake', env);
  const compilers =
    process.platform === 'win32' ? ['cmake'] : env['CXX'] ? [env['CXX']] : ['c++', 'g++', 'clang++'];
  for (const compiler of compilers) {
    const version = versionOf(compiler, env);
    if (version === undefined || cmake === undefined) continue;
    return { toolchain: { compiler, versions: `${compiler}: ${version}; cmake: ${cmake}` } };
  }
  const noCompiler = compilers.every((compiler) => versionOf(compiler, env) === undefined);
  return {
    missing: [...(noCompiler ? ['a C++20 compiler'] : []), ...(cmake === undefined ? ['CMake'] : [])],
  };
}

/** True unless the compiler says that it does not know C++20. */
export function knowsCpp20(toolchain: Toolchain): boolean {
  if (process.platform === 'win32') return true;
  const args = ['-std=c++20', '-fsyntax-only', '-x', 'c++', '-'];
  const probe = spawnSync(toolchain.compiler, args, {
    env: process.env,
    input: 'int main() {}\n',
    encoding: 'utf8',
  });
  return probe.status === 0 || !/(c\+\+20|std=)/.test(probe.stderr ?? '');
}

/** What to type, per platform. */
export function installHint(platform: NodeJS.Platform): string {
  switch (platform) {
    case 'darwin':
      return 'xcode-select --install && brew install cmake';
    case 'win32':
      return 'install Visual Studio Build Tools (Desktop development with C++) and CMake';
    default:
      return 'apt-get install g++ cmake';
  }
}

function versionOf(tool: string, env: NodeJS.ProcessEnv): string | undefined {
  const { status, error, stdout, stderr } = spawnSync(tool, ['--version'], { env, encoding: 'utf8' });
  if (error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES')) return undefined;
  // A tool that is there but does not run is broken, not absent: the build will say so.
  return status === 0 ? (stdout.split('\n', 1)[0] ?? '') : `broken (${stderr.split('\n', 1)[0] ?? status})`;
}
