// What the native build depends on besides the sources: the compiler and CMake found on PATH. Named in one string, so
// that installing a compiler later makes the native packages build again instead of being served from a cache.
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const TOOLS = ['cmake', 'c++', 'g++', 'clang++'];

/** For example `cmake=/usr/bin/cmake@1700000000000 c++=… clang++=none`. */
export function describeToolchain(env = process.env) {
  const named = [env.CC, env.CXX].filter(Boolean);
  return [...TOOLS, ...named].map((tool) => `${tool}=${locate(tool, env.PATH ?? '') ?? 'none'}`).join(' ');
}

function locate(tool, path) {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, process.platform === 'win32' ? `${tool}.exe` : tool);
    try {
      accessSync(file, constants.X_OK);
      return `${realpathSync(file)}@${Math.trunc(statSync(file).mtimeMs)}`;
    } catch {
      // Not in this folder: the next one on PATH may have it.
    }
  }
  return undefined;
}
