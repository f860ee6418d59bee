// Checks the format of the native sources, or repairs it with --fix. Part of `npm run lint`; a machine without
// clang-format is told so and passes, since the sources build without it.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { listPackageFolders, root } from './paths.mjs';

const fix = process.argv.includes('--fix');
const files = listPackageFolders(['packages', 'bench'])
  .map((folder) => `${folder}/native`)
  .filter((folder) => existsSync(join(root, folder)))
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map((name) => `${folder}/${name}`),
  )
  .filter((file) => /\.(?:h|cc|cu)$/.test(file) && !file.includes('/build/'));

if (spawnSync('clang-format', ['--version']).status !== 0) {
  console.warn('SKIPPED: clang-format is not installed: the format of the C++ sources was not checked');
} else if (files.length > 0) {
  const mode = fix ? ['-i'] : ['--dry-run', '--Werror'];
  process.exitCode =
    spawnSync('clang-format', [...mode, ...files], { cwd: root, stdio: 'inherit' }).status ?? 1;
}
if (process.exitCode === 1 && !fix) console.error('C++ format differs: run `npm run format`');
