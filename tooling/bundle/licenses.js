// The licenses of dependencies whose code is in a bundle, which go where that goes.

import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGE_FOLDER = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/;
const FILE_NAME = 'THIRD-PARTY-LICENSES.txt';

/** The folder of the innermost dependency that a file belongs to; undefined for the workspace's own. */
export function packageFolder(file) {
  return PACKAGE_FOLDER.exec(file)?.[1];
}

/**
 * Writes the licenses of the packages that `inputs` (absolute paths) come from to `dist`.
 *
 * @throws Error for a package without one: its code may not be passed on
 */
export function writeLicenses(dist, inputs) {
  const folders = new Set(inputs.flatMap((file) => packageFolder(file) ?? []));
  const path = join(dist, FILE_NAME);
  if (folders.size === 0) return rmSync(path, { force: true });
  writeFileSync(path, [...folders].sort().map(licenseOf).join('\n\n'));
}

function licenseOf(folder) {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.\w+)?$/i.test(entry));
  if (!file) throw new Error(`Expected a license in ${folder} but there is none`);
  return `${name} ${version}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
}
