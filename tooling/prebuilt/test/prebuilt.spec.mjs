// The way of an addon from the machine that built it to one without a compiler: collected, packed, named, installed and loaded.

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collect } from '../lib/collect.js';
import { link } from '../lib/link.js';
import { pack } from '../lib/pack.js';

const packagesFolder = fileURLToPath(new URL('../../../packages', import.meta.url));
const HERE = `${process.platform}-${process.arch}`;
const folder = mkdtempSync(join(tmpdir(), 'airllm-prebuilt-'));
afterAll(() => rmSync(folder, { recursive: true }));

const readJson = (...path) => JSON.parse(readFileSync(join(folder, ...path), 'utf8'));
function write(path, content) {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content));
}

describe('a release', () => {
  const root = join(folder, 'workspace');
  const [artifacts, packages] = [join(folder, 'artifacts'), join(folder, 'platform-packages')];
  /** Any but the one that this is. */
  const elsewhere = HERE === 'darwin-arm64' ? 'linux-x64' : 'darwin-arm64';
  const [os, cpu] = elsewhere.split('-');
  const both = [`@x/adder-${elsewhere}`, `@x/adder-${HERE}`].sort();

  beforeAll(() => {
    const manifest = { name: '@x/adder', version: '1.2.3', license: 'MIT', binary: { napi_versions: [8] } };
    write('workspace/packages/adder/package.json', { ...manifest, airllm: { prebuilt: ['adder.node'] } });
    write('workspace/packages/adder/build/Release/adder.node', 'of this machine');
    write('workspace/packages/adder/build/Release/adder_emulated.node', 'for tests');
    write('workspace/packages/plain/package.json', { name: '@x/plain', version: '1.2.3' });
    write('workspace/LICENSE', 'Do as you like.');
    write(`artifacts/${elsewhere}/adder/adder.node`, 'of another machine');
  });

  it('collects what was built here', () => {
    expect(collect(root, artifacts)).toEqual([`adder: adder.node for ${HERE}`]);
    expect(readFileSync(join(artifacts, HERE, 'adder/adder.node'), 'utf8')).toBe('of this machine');
  });

  it('makes a package for each platform, for the machines that it fits', () => {
    expect(pack(root, artifacts, packages)).toEqual(both.map((name) => `${name}@1.2.3: adder.node`));
    expect(readJson(`platform-packages/adder-${elsewhere}/package.json`)).toMatchObject({
      ...{ name: `@x/adder-${elsewhere}`, version: '1.2.3', license: 'MIT' },
      ...{ os: [os], cpu: [cpu], files: ['adder.node'] },
    });
    expect(existsSync(join(packages, `adder-${HERE}/LICENSE`))).toBe(true);
  });

  it('names them where they are for, of exactly this version', () => {
    expect(link(root, packages)).toEqual([`@x/adder: ${both.join(', ')}`]);
    const { optionalDependencies } = readJson('workspace/packages/adder/package.json');
    expect(optionalDependencies).toEqual(Object.fromEntries(both.map((name) => [name, '1.2.3'])));
    expect(readJson('workspace/packages/plain/package.json')).not.toHaveProperty('optionalDependencies');
  });

  it('refuses artifacts that it does not know, and packages of another version', () => {
    write('odd/beos-ppc/adder/adder.node', '');
    expect(() => pack(root, join(folder, 'odd'), packages)).toThrow(/<platform>-<arch> but found beos-ppc/);
    write('strange/linux-x64/other/other.node', '');
    expect(() => pack(root, join(folder, 'strange'), packages)).toThrow(/addon but found other/);
    mkdirSync(join(folder, 'empty'));
    expect(() => pack(root, join(folder, 'empty'), packages)).toThrow(/there are none/);
    write('old/adder-linux-x64/package.json', { name: '@x/adder-linux-x64', version: '1.0.0' });
    expect(() => link(root, join(folder, 'old'))).toThrow(/of version 1.2.3 but it has 1.0.0/);
    rmSync(join(root, 'packages/adder/build'), { recursive: true });
    expect(() => collect(root, artifacts)).toThrow(/build it first/);
  });
});

const addon = join(packagesFolder, 'direct-io/build/Release/direct_io.node');
const built = existsSync(addon);
if (!built) console.warn('SKIPPED a prebuilt addon that is loaded: none was built here');
(built ? it : it.skip)(
  'a package without a build of its own loads the one that was made for its platform',
  () => {
    const [artifacts, packages] = [join(folder, 'real'), join(folder, 'real-packages')];
    cpSync(addon, join(artifacts, HERE, 'direct-io/direct_io.node'));
    pack(join(packagesFolder, '..'), artifacts, packages);

    // As npm installs them: the package without its build, beside its platform package and what it depends on.
    const modules = join(folder, 'installed/node_modules/@airllm');
    for (const name of ['direct-io', 'native', 'errors']) {
      for (const part of ['dist', 'package.json'])
        cpSync(join(packagesFolder, name, part), join(modules, name, part), { recursive: true });
    }
    const program = `import { openReadQueue } from '@airllm/direct-io';
    const { queue } = openReadQueue({ method: 'threads' });
    console.log(queue.method);
    await queue[Symbol.asyncDispose]();`;
    const run = () =>
      execFileSync(process.execPath, ['--input-type=module', '-e', program], {
        ...{ cwd: join(folder, 'installed'), encoding: 'utf8', stdio: 'pipe' },
      }).trim();
    expect(run).toThrow(`@airllm/direct-io-${HERE}/direct_io.node: not found`);
    cpSync(join(packages, `direct-io-${HERE}`), join(modules, `direct-io-${HERE}`), { recursive: true });
    expect(run()).toBe('threads');
  },
);
