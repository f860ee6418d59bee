// One file for each entry of a package, in the place of one for each source.

import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { build } from 'esbuild';
import { entriesOf } from './entries.js';
import { packageFolder, writeLicenses } from './licenses.js';

/** Writes `dist` of the package in `folder` and removes JavaScript that does not belong to this build. */
export async function bundle(folder) {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const { dependencies, devDependencies, bundle: { inline = [] } = {} } = manifest;
  const { metafile } = await build({
    absWorkingDir: folder,
    entryPoints: entriesOf(manifest).map((entry) => `src/${entry}.ts`),
    outdir: 'dist',
    outbase: 'src',
    bundle: true,
    splitting: true,
    external: Object.keys({ ...dependencies, ...devDependencies }).filter((name) => !inline.includes(name)),
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
  });
  const absolute = (files) => Object.keys(files).map((file) => resolve(folder, file));
  expectInlined(folder, absolute(metafile.inputs), inline);
  writeLicenses(join(folder, 'dist'), absolute(metafile.inputs));
  removeOthers(join(folder, 'dist'), absolute(metafile.outputs));
}

/** What is not declared as a dependency would be inlined unseen. */
function expectInlined(folder, inputs, inline) {
  const sources = join(folder, 'src', '/');
  for (const file of inputs) {
    if (file.startsWith(sources)) continue;
    const [owner] = inline.filter((name) => packageFolder(file)?.endsWith(join('node_modules', name)));
    if (owner === undefined)
      throw new Error(
        `${file} is neither of this package nor of a dependency, nor of ${JSON.stringify(inline)}`,
      );
  }
}

function removeOthers(dist, written) {
  const keep = new Set(written.map((file) => relative(dist, file)));
  for (const file of readdirSync(dist, { recursive: true })) {
    if (/\.js(\.map)?$/.test(file) && !keep.has(file)) rmSync(join(dist, file));
  }
}
