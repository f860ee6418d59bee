// The packages of a workspace that have a native addon.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @returns [{ folder, directory, manifestPath, manifest }], by name of their folder */
export function nativePackages(root) {
  const packages = join(root, 'packages');
  return readdirSync(packages)
    .sort()
    .map((folder) => ({ folder, directory: join(packages, folder) }))
    .map((found) => ({ ...found, manifestPath: join(found.directory, 'package.json') }))
    .filter(({ manifestPath }) => existsSync(manifestPath))
    .map((found) => ({ ...found, manifest: readJson(found.manifestPath) }))
    .filter(({ manifest }) => manifest.binary !== undefined);
}

export function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
