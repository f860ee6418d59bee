// What was built on this machine, for the machine that makes packages of it.

import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nativePackages } from './native-packages.js';

/**
 * @returns a line for each addon
 * @throws Error where a package's addon was not built
 */
export function collect(root, artifacts) {
  const platform = `${process.platform}-${process.arch}`;
  return nativePackages(root).flatMap(({ folder, directory, manifest }) => {
    const built = join(directory, 'build', 'Release');
    // Some are for tests alone.
    const isWanted = (file) => manifest.airllm?.prebuilt?.includes(file) ?? file.endsWith('.node');
    const addons = existsSync(built) ? readdirSync(built).filter(isWanted) : [];
    if (addons.length === 0)
      throw new Error(`Expected an addon in ${built} but there is none: build it first`);
    const target = join(artifacts, platform, folder);
    mkdirSync(target, { recursive: true });
    return addons.map((addon) => {
      copyFileSync(join(built, addon), join(target, addon));
      return `${folder}: ${addon} for ${platform}`;
    });
  });
}
