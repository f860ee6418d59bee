import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashContents, hashTree, isStamped, writeStamp } from '../fingerprint.mjs';

let folder;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airllm-fingerprint-'));
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, 'src', 'a.ts'), 'one');
});
afterEach(() => rmSync(folder, { recursive: true }));

const keepAll = { keep: () => true };

describe('a tree', () => {
  it('keeps its fingerprint while nothing changes', () => {
    expect(hashTree([folder], keepAll)).toBe(hashTree([folder], keepAll));
  });

  it.each([
    ['a file grows', () => writeFileSync(join(folder, 'src', 'a.ts'), 'one and more')],
    ['a file is written again', () => utimesSync(join(folder, 'src', 'a.ts'), 1, 1)],
    ['a file is added', () => writeFileSync(join(folder, 'src', 'b.ts'), '')],
    ['a file is removed', () => rmSync(join(folder, 'src', 'a.ts'))],
  ])('gets another one when %s', (_, change) => {
    const before = hashTree([folder], keepAll);
    change();
    expect(hashTree([folder], keepAll)).not.toBe(before);
  });

  it('does not look at what the caller leaves out', () => {
    const options = { keep: (path) => !path.endsWith('.spec.ts') };
    const before = hashTree([folder], options);
    writeFileSync(join(folder, 'src', 'a.spec.ts'), 'x');
    expect(hashTree([folder], options)).toBe(before);
  });

  it('depends on the settings given with it', () => {
    expect(hashTree([folder], { ...keepAll, extra: ['gcc'] })).not.toBe(hashTree([folder], keepAll));
  });
});

it('hashes contents alone: a touched file is the same, a missing one is not', () => {
  const file = join(folder, 'src', 'a.ts');
  const before = hashContents([file]);
  utimesSync(file, 1, 1);
  expect(hashContents([file])).toBe(before);
  rmSync(file);
  expect(hashContents([file])).not.toBe(before);
});

it('remembers the last success in a stamp', () => {
  const stamp = join(folder, 'deep', 'stamp');
  expect(isStamped(stamp, 'abc')).toBe(false);
  writeStamp(stamp, 'abc');
  expect(isStamped(stamp, 'abc')).toBe(true);
  expect(isStamped(stamp, 'abd')).toBe(false);
});
