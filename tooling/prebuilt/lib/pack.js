// A package for each addon and platform: the binaries, and which machines they are for.

import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nativePackages } from './native-packages.js';

const PLATFORM = /^(linux|darwin|win32)-(x64|arm64)$/;

/**
 * @returns a line for each package
 * @throws Error for artifacts of a platform or of a package that is not known, and where there are none
 */
export function pack(root, artifacts, packages) {
  const known = new Map(nativePackages(root).map((found) => [found.folder, found]));
  const lines = [];
  for (const platform of readdirSync(artifacts).sort()) {
    if (!PLATFORM.test(platform))
      throw new Error(`Expected <platform>-<arch> but found ${platform} in ${artifacts}`);
    for (const folder of readdirSync(join(artifacts, platform)).sort()) {
      const owner = known.get(folder);
      if (!owner) throw new Error(`Expected a package with an addon but found ${folder} for ${platform}`);
      lines.push(packOne(owner, { platform, from: join(artifacts, platform, folder), packages }));
    }
  }
  if (lines.length === 0) throw new Error(`Expected addons in ${artifacts} but there are none`);
  return lines;
}

function packOne({ directory, folder, manifest }, { platform, from, packages }) {
  const [os, cpu] = platform.split('-');
  const addons = readdirSync(from).filter((file) => file.endsWith('.node'));
  if (addons.length === 0) throw new Error(`Expected an addon in ${from} but there is none`);
  const name = `${manifest.name}-${platform}`;
  const target = join(packages, `${folder}-${platform}`);
  mkdirSync(target, { recursive: true });
  for (const addon of addons) copyFileSync(join(from, addon), join(target, addon));
  const license = join(directory, '..', '..', 'LICENSE');
  if (existsSync(license)) copyFileSync(license, join(target, 'LICENSE'));
  const { version, license: spdx, engines, publishConfig } = manifest;
  const description = `The native addon of ${manifest.name} for ${platform}`;
  const made = {
    ...{ name, version, description, license: spdx },
    ...{ os: [os], cpu: [cpu], ...(os === 'linux' && { libc: ['glibc'] }) },
    ...{ files: addons, engines, publishConfig },
  };
  writeFileSync(join(target, 'package.json'), `${JSON.stringify(made, null, 2)}\n`);
  writeFileSync(
    join(target, 'README.md'),
    `# ${name}\n\n${description}. Installed by itself where it fits; nothing here is for use by hand.\n`,
  );
  return `${name}@${version}: ${addons.join(', ')}`;
}
