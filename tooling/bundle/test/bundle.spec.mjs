// A package of three sources becomes one file for each entry; its programs run, and an earlier build's files are gone.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../bundle.js';
import { entriesOf } from '../entries.js';

const folder = mkdtempSync(join(tmpdir(), 'airllm-bundle-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(path, text) {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
}

const read = (path) => readFileSync(join(folder, path), 'utf8');

test('a package', async () => {
  const manifest = {
    name: 'p',
    type: 'module',
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    bundle: { programs: ['./dist/deep/program.js'] },
  };
  write('package.json', JSON.stringify(manifest));
  write(
    'src/index.ts',
    "export { half } from './deep/half.js';\nexport const late = () => import('./late.js');\n",
  );
  write('src/deep/half.ts', 'export const half = (x: number): number => x / 2;\n');
  write('src/late.ts', 'export const answer: number = 42;\n');
  write('src/deep/program.ts', "import { half } from './half.js';\nconsole.log(half(6));\n");
  write('dist/deep/half.js', 'of an earlier build');
  write('dist/index.d.ts', 'export declare const half: (x: number) => number;\n');

  await bundle(folder);

  expect(existsSync(join(folder, 'dist/deep/half.js'))).toBe(false);
  expect(existsSync(join(folder, 'dist/index.d.ts'))).toBe(true);
  const run = (...args) => execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' }).trim();
  expect(run('dist/deep/program.js')).toBe('3');
  const program =
    "import { half, late } from './dist/index.js'; console.log(half(5), (await late()).answer);";
  expect(run('--input-type=module', '-e', program)).toBe('2.5 42');
});

describe('what is not of the package', () => {
  const dependency = { name: 'd', version: '1.2.3', type: 'module', exports: './index.js' };
  const manifest = { name: 'q', type: 'module', exports: { '.': './dist/index.js' } };

  beforeAll(() => {
    write('q/src/index.ts', "export { answer } from 'd';\n");
    write('q/node_modules/d/package.json', JSON.stringify(dependency));
    write('q/node_modules/d/index.js', 'export const answer = 42;\n');
    write('q/node_modules/d/LICENSE', 'Do as you like.\n');
  });

  it('stays outside where it is a dependency', async () => {
    write('q/package.json', JSON.stringify({ ...manifest, dependencies: { d: '*' } }));
    await bundle(join(folder, 'q'));
    expect(read('q/dist/index.js')).toContain('from "d"');
    expect(existsSync(join(folder, 'q/dist/THIRD-PARTY-LICENSES.txt'))).toBe(false);
  });

  it('is inlined with its license where it is named', async () => {
    write(
      'q/package.json',
      JSON.stringify({ ...manifest, devDependencies: { d: '*' }, bundle: { inline: ['d'] } }),
    );
    await bundle(join(folder, 'q'));
    expect(read('q/dist/index.js')).not.toContain('from "d"');
    expect(read('q/dist/THIRD-PARTY-LICENSES.txt')).toBe('d 1.2.3\n\nDo as you like.\n');
  });

  it('ends the build where it is not declared', async () => {
    write('q/package.json', JSON.stringify(manifest));
    await expect(bundle(join(folder, 'q'))).rejects.toThrow(/neither of this package nor of a dependency/);
  });
});

describe('entriesOf', () => {
  it('takes exports, bin and programs once each, and nothing outside dist', () => {
    const manifest = {
      exports: {
        '.': { types: './dist/index.d.ts', default: './dist/index.js' },
        './x': { types: './dist/x/index.d.ts', default: './dist/x/index.js' },
        './package.json': './package.json',
      },
      bin: { a: './dist/bin.js', b: './bin/b.mjs' },
      bundle: { programs: ['./dist/index.js'] },
    };
    expect(entriesOf(manifest)).toEqual(['bin', 'index', 'x/index']);
  });

  it('refuses a package without entries', () => {
    expect(() => entriesOf({ name: 'p', bin: { b: './b.js' } })).toThrow(/Expected p to name a file/);
  });
});
