import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoreLayout } from '@airllm/layer-store';
import { expertMemoryPath, isWorthRemembering, readExpertUses, writeExpertUses } from './expert-memory.js';

const layout = {
  experts: [0, 1, 2].map((expert) => ({ stage: 1, expert, tiles: [expert] })),
  weightBytes: 1000,
} as unknown as StoreLayout;

let folder: string;
let path: string;
let notices: string[];
const onNotice = (line: string): void => void notices.push(line);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'expert-memory-'));
  path = join(folder, 'experts', 'model.json');
  notices = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const uses = [
  { stage: 1, expert: 2, uses: 3.25 },
  { stage: 1, expert: 0, uses: 0.5 },
];

describe('used experts', () => {
  it('come back as they were written, without a notice, and leave one file', async () => {
    await writeExpertUses(path, uses, onNotice);
    await writeExpertUses(path, uses.slice(0, 1), onNotice);
    expect(await readExpertUses(path, layout, onNotice)).toEqual(uses.slice(0, 1));
    expect(await readdir(join(folder, 'experts'))).toEqual(['model.json']);
    expect(notices).toEqual([]);
  });

  it('are none where nothing was written yet', async () => {
    expect(await readExpertUses(path, layout, onNotice)).toEqual([]);
    expect(notices).toEqual([]);
  });

  it.each([
    ['is no JSON', '{"version":1,'],
    ['is of another version', '{"version":2,"experts":[]}'],
    ['has other fields', '{"version":1,"experts":[],"run":"rm"}'],
    ['names a negative layer', '{"version":1,"experts":[[-1,0,1]]}'],
    ['names half an expert', '{"version":1,"experts":[[0,0.5,1]]}'],
    ['counts no use', '{"version":1,"experts":[[0,0,0]]}'],
    ['counts past any number', '{"version":1,"experts":[[0,0,1e999]]}'],
    ['lists more experts than there are', `{"version":1,"experts":[${'[1,0,1],'.repeat(3)}[1,1,1]]}`],
  ])('are none where the file %s', async (_, text) => {
    await writeExpertUses(path, uses, onNotice);
    await writeFile(path, text);
    expect(await readExpertUses(path, layout, onNotice)).toEqual([]);
    expect(notices).toEqual([expect.stringContaining(`ignoring ${path}`)]);
  });

  it('are none where the file is larger than any list, of which nothing is read', async () => {
    await writeExpertUses(path, uses, onNotice);
    await truncate(path, 2 ** 32);
    expect(await readExpertUses(path, layout, onNotice)).toEqual([]);
    expect(notices).toEqual([expect.stringContaining('Expected at most 4194304 bytes but found 4294967296')]);
  });

  it('that cannot be written are a notice, and what was there stays', async () => {
    await writeExpertUses(path, uses, onNotice);
    const before = await readFile(path, 'utf8');
    await writeExpertUses(join(path, 'below', 'a-file.json'), uses, onNotice);
    expect(notices).toEqual([expect.stringContaining('could not remember')]);
    expect(await readFile(path, 'utf8')).toBe(before);
  });
});

describe('the file of a model', () => {
  it('lies in AIRLLM_CACHE, another for other weights', async () => {
    const known = process.env['AIRLLM_CACHE'];
    process.env['AIRLLM_CACHE'] = folder;
    try {
      const [first, second] = [join(folder, 'a.safetensors'), join(folder, 'b.safetensors')];
      for (const file of [first, second]) await writeFile(file, '');
      const paths = [
        await expertMemoryPath(first, layout),
        await expertMemoryPath(second, layout),
        await expertMemoryPath(first, { ...layout, weightBytes: 1001 }),
      ];
      expect(new Set(paths).size).toBe(3);
      expect(await expertMemoryPath(first, layout)).toBe(paths[0]);
      for (const file of paths) expect(file.startsWith(join(folder, 'experts'))).toBe(true);
    } finally {
      if (known === undefined) delete process.env['AIRLLM_CACHE'];
      else process.env['AIRLLM_CACHE'] = known;
    }
  });
});

describe('remembering', () => {
  it('is for models with a quarter of a GiB of experts', () => {
    const withBytes = (bufferBytes: number): StoreLayout =>
      ({ expertTiles: new Map([[0, { bufferBytes }]]) }) as unknown as StoreLayout;
    expect(isWorthRemembering(withBytes(2 ** 28))).toBe(true);
    expect(isWorthRemembering(withBytes(2 ** 28 - 4096))).toBe(false);
  });
});
