import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRememberedSettings, rememberSettings, settingsPath } from './remembered-settings.js';

const settings = { queueDepth: 32, requestBytes: 2 ** 20 };

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'airllm-disks-'));
  path = join(folder, 'cache', 'disks.json');
});
afterEach(() => rm(folder, { recursive: true }));

it('remembers the settings of several disks, the last of each, and leaves nothing else behind', async () => {
  expect(await readRememberedSettings(path)).toEqual(new Map());
  await rememberSettings('a', { queueDepth: 8, requestBytes: 4096 }, path);
  await rememberSettings('b', settings, path);
  expect(await rememberSettings('a', settings, path)).toBe(true);
  expect([...(await readRememberedSettings(path))]).toEqual([
    ['b', settings],
    ['a', settings],
  ]);
  expect(await readdir(join(folder, 'cache'))).toEqual(['disks.json']);
});

it('forgets the disk that was measured longest ago', async () => {
  for (let i = 0; i < 66; i++) await rememberSettings(`disk ${i}`, settings, path);
  const known = await readRememberedSettings(path);
  expect(known.size).toBe(64);
  expect(known.has('disk 1')).toBe(false);
  expect(known.has('disk 2')).toBe(true);
});

it.each<readonly [string, string]>([
  ['no JSON', '{'],
  ['another version', JSON.stringify({ version: 2, disks: [{ id: 'a', ...settings }] })],
  ['no list', JSON.stringify({ version: 1, disks: { a: settings } })],
  ['a list', '[]'],
  [
    'too large',
    JSON.stringify({ version: 1, disks: [{ id: 'a', ...settings }], padding: 'x'.repeat(70_000) }),
  ],
  ...[
    { id: 'a', queueDepth: 1e9, requestBytes: 4096 },
    { id: 'a', queueDepth: 1, requestBytes: 2 ** 40 },
    { id: 'a', queueDepth: 1.5, requestBytes: 4096 },
    { id: 'a', queueDepth: '16', requestBytes: 4096 },
    { id: 'a', queueDepth: 16, requestBytes: 5000 },
    { id: 7, ...settings },
    null,
  ].map((disk) => [JSON.stringify(disk), JSON.stringify({ version: 1, disks: [disk] })] as const),
])('takes nothing from a file with %s', async (_, text) => {
  const file = join(folder, 'disks.json');
  await writeFile(file, text);
  expect(await readRememberedSettings(file)).toEqual(new Map());
});

it('does without where the cache cannot be written', async () => {
  await writeFile(join(folder, 'cache'), 'a file, not a folder');
  expect(await rememberSettings('a', settings, path)).toBe(false);
});

it('lies in the cache that the environment names', () => {
  expect(settingsPath({ AIRLLM_CACHE: '/c' })).toBe(join('/c', 'disks.json'));
  expect(settingsPath({ XDG_CACHE_HOME: '/x' })).toBe(join('/x', 'airllm', 'disks.json'));
});
