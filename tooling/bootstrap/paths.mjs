// Where things lie in the repository: the root, the cache folder and the workspace's package folders.
import { existsSync, mkdirSync, readdirSync, writeFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StepError } from './step-error.mjs';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const cacheFolder = join(root, '.cache');
export const logFolder = join(cacheFolder, 'logs');

/** Folders with a package.json, relative to the root. The parents are those of pnpm-workspace.yaml. */
export function listPackageFolders(parents = ['packages', 'apps', 'tooling']) {
  const nested = parents.flatMap((parent) =>
    existsSync(join(root, parent)) ? readdirSync(join(root, parent)).map((name) => `${parent}/${name}`) : [],
  );
  return ['bench', ...nested].filter((folder) => existsSync(join(root, folder, 'package.json'))).sort();
}

/** Creates the cache folders; throws a StepError that names the folder when nothing can be written there. */
export function prepareCacheFolder() {
  const probe = join(cacheFolder, `.write-probe-${process.pid}`);
  try {
    mkdirSync(logFolder, { recursive: true });
    writeFileSync(probe, '');
    rmSync(probe);
  } catch (error) {
    throw new StepError(
      `Expected to write into ${cacheFolder}, found ${error.code ?? error.message}. ` +
        'Make the folder writable for this user, or clone the repository where it is, and run the command again.',
      { cause: error },
    );
  }
}
