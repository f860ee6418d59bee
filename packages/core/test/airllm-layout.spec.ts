// Layer shards of the Python AirLLM, written by an independent script: they load, and give the tokens that transformers
// gives on the same values. What this project writes in that layout has the same bytes.

import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint, type Checkpoint } from '@airllm/checkpoint';
import { airllmFolder, fixturesFolder } from '@airllm/fixtures';
import { AutoModel, shardModel } from '../src/index.js';

type Golden = Record<string, { input_ids: number[]; greedy: number[] }[]>;

let base: string;
beforeAll(async () => void (base = await mkdtemp(join(tmpdir(), 'airllm-layout-'))));
afterAll(() => rm(base, { recursive: true, force: true }));

const cases = readdirSync(airllmFolder).flatMap((name) => {
  const golden = JSON.parse(readFileSync(join(airllmFolder, name, 'golden.json'), 'utf8')) as Golden;
  return Object.entries(golden).map(([compression, prompts]) => {
    const folder = compression === 'None' ? 'splitted_model' : `splitted_model.${compression}`;
    return { name, folder, compression, prompts };
  });
});

/** Dtype, shape and bytes by name. */
async function contentsOf({ tensors }: Checkpoint): Promise<Map<string, { type: string; bytes: Buffer }>> {
  const contents = new Map<string, { type: string; bytes: Buffer }>();
  for (const { name, dtype, shape, path, byteOffset, byteLength } of tensors.values()) {
    const bytes = (await readFile(path)).subarray(byteOffset, byteOffset + byteLength);
    contents.set(name, { type: `${dtype} [${shape.join()}]`, bytes });
  }
  return contents;
}

/** Values half way between two codes: which one they get depends on how the division is rounded. */
const MOST_OTHER_CODES = 1e-3;

describe.each(cases)('$folder of $name', ({ name, folder, compression, prompts }) => {
  const shards = join(airllmFolder, name, folder);

  it('gives the tokens of the reference, alone and in a batch', async () => {
    await using model = await AutoModel.fromPretrained(shards);
    const options = { maxNewTokens: 24, ignoreEos: true };
    for (const { input_ids: inputIds, greedy } of prompts) {
      expect((await model.generate({ inputIds }, options)).tokenIds).toEqual(greedy);
    }
    const batch = await model.generate({ inputIds: prompts.map(({ input_ids: ids }) => ids) }, options);
    expect(batch.map(({ tokenIds }) => tokenIds)).toEqual(prompts.map(({ greedy }) => greedy));
  });

  it('is found in a folder without weights of its own', async () => {
    const parent = join(base, `${name}-${compression}`);
    await cp(shards, join(parent, folder), { recursive: true });
    await cp(join(airllmFolder, name, 'config.json'), join(parent, 'config.json'));
    const [{ input_ids: inputIds, greedy } = { input_ids: [], greedy: [] }] = prompts;
    await using model = await AutoModel.fromPretrained(parent);
    const { tokenIds } = await model.generate({ inputIds }, { maxNewTokens: 24, ignoreEos: true });
    expect(tokenIds).toEqual(greedy);
  });

  it('is what --layout airllm writes', async () => {
    const format = compression === 'None' ? 'none' : (compression as '4bit' | '8bit');
    const { folder: written } = await shardModel(join(fixturesFolder, name), {
      ...{ format, layout: 'airllm', baseFolder: join(base, 'ours', name) },
    });
    expect(written).toBe(join(base, 'ours', name, folder));
    const names = (files: string[]): string[] =>
      files.filter((file) => /\.safetensors(\.done)?$/.test(file)).sort();
    expect(names(await readdir(written))).toEqual(names(await readdir(shards)));
    const [ours, theirs] = [await openCheckpoint(written), await openCheckpoint(shards)];
    const [found, expected] = [await contentsOf(ours), await contentsOf(theirs)];
    expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
    let [codes, others] = [0, 0];
    for (const [tensor, { type, bytes }] of expected) {
      // JSON of the same fields, with other white space.
      if (tensor.includes('quant_state')) continue;
      expect([tensor, found.get(tensor)?.type]).toEqual([tensor, type]);
      codes += bytes.length;
      bytes.forEach((byte, i) => (others += found.get(tensor)?.bytes[i] === byte ? 0 : 1));
    }
    expect(others / codes).toBeLessThan(compression === '8bit' ? MOST_OTHER_CODES : Number.MIN_VALUE);
  });
});

describe('refusals', () => {
  it('of shards that AirLLM has not finished', async () => {
    const folder = join(base, 'unfinished');
    await cp(join(airllmFolder, 'llama-tied'), folder, { recursive: true });
    await rm(join(folder, 'splitted_model.4bit'), { recursive: true });
    await rm(join(folder, 'splitted_model', 'model.norm.safetensors.done'));
    await expect(openCheckpoint(folder)).rejects.toMatchObject({
      ...{ code: 'SHARD_MISSING', fields: { file: 'model.norm.safetensors' } },
    });
  });

  it('of a folder with shards in two formats', async () => {
    await expect(openCheckpoint(join(airllmFolder, 'llama-tied'))).rejects.toMatchObject({
      code: 'AMBIGUOUS_WEIGHTS',
    });
  });

  it('of a folder that something else made, as a target', async () => {
    const folder = join(base, 'occupied');
    await cp(join(airllmFolder, 'llama-tied', 'splitted_model'), join(folder, 'splitted_model'), {
      recursive: true,
    });
    const request = shardModel(join(fixturesFolder, 'llama-tied'), { layout: 'airllm', baseFolder: folder });
    await expect(request).rejects.toMatchObject({ code: 'TARGET_OCCUPIED' });
  });
});
