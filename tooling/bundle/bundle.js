// One file for each entry of a package, in the place of one for each source.

import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { build } from 'esbuild';
import { entriesOf } from './entries.js';

/** Writes `dist` of the package in `folder` and removes JavaScript that does not belong to this build. */
export async function bundle(folder) {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const { metafile } = await build({
    absWorkingDir: folder,
    entryPoints: entriesOf(manifest).map((entry) => `src/${entry}.ts`),
    outdir: 'dist',
    outbase: 'src',
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
  });
  removeOthers(
    join(folder, 'dist'),
    Object.keys(metafile.outputs).map((file) => resolve(folder, file)),
  );
}

function removeOthers(dist, written) {
  const keep = new Set(written.map((file) => relative(dist, file)));
  for (const file of readdirSync(dist, { recursive: true })) {
    if (/\.js(\.map)?$/.test(file) && !keep.has(file)) rmSync(join(dist, file));
  }
}
