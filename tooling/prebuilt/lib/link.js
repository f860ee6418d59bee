// Names the platform packages that were made in the packages they are for. Done for a release, not in the repository: what is not
// yet published cannot be installed.

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nativePackages, readJson } from './native-packages.js';

/** @returns a line for each package that was changed */
export function link(root, packages) {
  const made = readdirSync(packages).map((folder) => readJson(join(packages, folder, 'package.json')));
  return nativePackages(root).flatMap(({ manifest, manifestPath }) => {
    const own = made.filter(({ name }) => name.startsWith(`${manifest.name}-`)).sort(byName);
    if (own.length === 0) return [];
    const wrong = own.find(({ version }) => version !== manifest.version);
    if (wrong)
      throw new Error(`Expected ${wrong.name} of version ${manifest.version} but it has ${wrong.version}`);
    const optionalDependencies = Object.fromEntries(own.map(({ name, version }) => [name, version]));
    writeFileSync(manifestPath, `${JSON.stringify({ ...manifest, optionalDependencies }, null, 2)}\n`);
    return [`${manifest.name}: ${Object.keys(optionalDependencies).join(', ')}`];
  });
}

function byName(a, b) {
  return a.name < b.name ? -1 : 1;
}
