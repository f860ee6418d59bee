import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NativeAddonError } from './errors.js';
import { loadAddon } from './load-addon.js';

const platform = `${process.platform}-${process.arch}`;

describe('loadAddon', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'airllm-native-'));
    writeFileSync(join(folder, 'package.json'), '{ "name": "@x/things" }');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const failure = (): NativeAddonError => {
    try {
      loadAddon({ packageDir: folder, name: 'thing' });
    } catch (error) {
      if (NativeAddonError.isInstance(error)) return error as NativeAddonError;
      throw error;
    }
    throw new Error('Expected loadAddon to throw');
  };

  it('names every place it looked in and what to install when nothing is built', () => {
    const error = failure();
    expect(error.code).toBe('ADDON_NOT_BUILT');
    expect(error.message).toContain(`@x/things-${platform}/thing.node: not found`);
    expect(error.message).toContain(`${join(folder, 'build', 'Release', 'thing.node')}: not found`);
    expect(error.message).toContain('Build it: ');
  });

  it('tells a binary that does not load from one that is not there', () => {
    mkdirSync(join(folder, 'build', 'Release'), { recursive: true });
    writeFileSync(join(folder, 'build', 'Release', 'thing.node'), 'not a shared library');
    const error = failure();
    expect(error.code).toBe('ADDON_LOAD_FAILED');
    expect(error.message).toContain('Rebuild it');
    expect(error.cause).toHaveProperty('code', 'ERR_DLOPEN_FAILED');
  });

  it('prefers the platform package', () => {
    const prebuilt = join(folder, 'node_modules', '@x', `things-${platform}`);
    mkdirSync(prebuilt, { recursive: true });
    mkdirSync(join(folder, 'build', 'Release'), { recursive: true });
    for (const parent of [prebuilt, join(folder, 'build', 'Release')])
      writeFileSync(join(parent, 'thing.node'), 'not a shared library');
    // Neither loads, and so both are named, in the order they were tried.
    expect(failure().message).toMatch(
      /@x\/things-[^:]*thing\.node: (?!not found)[^\n]*\n.*build\/Release\/thing\.node: (?!not found)/,
    );
  });
});
