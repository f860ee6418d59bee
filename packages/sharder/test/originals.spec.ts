// What happens to the originals: linked where they already are a shard, deleted where that is asked for and safe.

import { cp, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openCheckpoint } from '@airllm/checkpoint';
import { fixturesFolder } from '@airllm/fixtures';
import { readHeader, writeSafetensors, type Dtype } from 'safetensors-js';
import { readManifest, resumeShards, shardCheckpoint, verifyShards, writeShards } from '../src/index.js';
import { planOf } from '../src/manifest.js';
import { deleteOriginal } from '../src/write/delete-originals.js';
import {
  errorOf,
  hashTensors,
  makeModel,
  openModel,
  readTensorBytes,
  shardModel,
  temporaryFolder,
} from './make-model.js';

async function weightFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.safetensors')).sort();
}

/** A checkpoint that lies in the hub's cache: links in a snapshot, blobs beside. */
async function makeSnapshot(): Promise<{ snapshot: string; repository: string }> {
  const model = await makeModel({ shardBytes: 150_000 });
  const repository = join(await temporaryFolder(), 'models--some--model');
  const snapshot = join(repository, 'snapshots', 'a'.repeat(40));
  await mkdir(snapshot, { recursive: true });
  await mkdir(join(repository, 'blobs'));
  for (const name of await readdir(model)) {
    await rename(join(model, name), join(repository, 'blobs', `blob-${name}`));
    await symlink(join('..', '..', 'blobs', `blob-${name}`), join(snapshot, name));
  }
  return { snapshot, repository };
}

describe('a source file that already is one shard', () => {
  /** Shards as a checkpoint: each of its files is one layer exactly. */
  async function makeLayerFiles(): Promise<string> {
    const { folder } = await shardModel(await makeModel(), { baseFolder: await temporaryFolder() });
    await rm(join(folder, 'airllm-manifest.json'));
    return folder;
  }

  it('gets a second name, which outlives the first', async () => {
    const source = await makeLayerFiles();
    const expected = await hashTensors(await openCheckpoint(source));
    const { folder } = await shardModel(source, { baseFolder: await temporaryFolder() });
    for (const name of await weightFiles(folder)) {
      const [original, shard] = [await stat(join(source, name)), await stat(join(folder, name))];
      expect([name, shard.ino]).toEqual([name, original.ino]);
    }
    expect(await verifyShards(folder)).toEqual([]);
    await rm(source, { recursive: true });
    expect(await hashTensors(await openCheckpoint(folder))).toEqual(expected);
  });

  it('is written where the format changes it', async () => {
    const source = await makeLayerFiles();
    const { folder } = await shardModel(source, { baseFolder: await temporaryFolder(), format: '8bit' });
    const inode = async (base: string, name: string): Promise<number> => (await stat(join(base, name))).ino;
    expect(await inode(folder, 'embedding.safetensors')).toBe(await inode(source, 'embedding.safetensors'));
    expect(await inode(folder, 'layer-0.safetensors')).not.toBe(await inode(source, 'layer-0.safetensors'));
  });

  it('is followed through the links of the hub cache', async () => {
    const source = await makeLayerFiles();
    const linked = await temporaryFolder();
    for (const name of await readdir(source)) await symlink(join(source, name), join(linked, name));
    const { folder } = await shardModel(linked, { baseFolder: await temporaryFolder() });
    await rm(source, { recursive: true });
    expect(await verifyShards(folder)).toEqual([]);
  });
});

describe('deleteOriginal', () => {
  it('deletes every original once its shards read back, and the index with them', async () => {
    const model = await makeModel({ shardBytes: 150_000 });
    const expected = await hashTensors(await openCheckpoint(model));
    const names = await weightFiles(model);
    expect(names.length).toBeGreaterThan(1);
    const phases: string[] = [];
    const { folder, deleted, kept } = await shardModel(model, {
      ...{ deleteOriginal: true, onProgress: ({ phase }) => phases.push(phase) },
    });
    expect(deleted.map((path) => path.slice(model.length + 1)).sort()).toEqual(names);
    expect(kept).toEqual([]);
    expect(phases).toContain('verify');
    expect((await readdir(model)).filter((name) => /safetensors|index/.test(name))).toEqual([]);
    expect(await hashTensors(await openCheckpoint(folder))).toEqual(expected);
    // The model's own folder opens by its shards.
    expect(await hashTensors(await openCheckpoint(model))).toEqual(expected);
    expect((await resumeShards(folder))?.manifest.files).toHaveLength(5);
  });

  it('keeps what no layer uses in a shard of its own', async () => {
    const model = join(await temporaryFolder(), 'model');
    await cp(join(fixturesFolder, 'llama-extra-keys'), model, { recursive: true });
    await rm(join(model, 'golden.safetensors'));
    const before = await hashTensors(await openCheckpoint(model));
    const { folder, manifest } = await shardModel(model, { deleteOriginal: true });
    expect(manifest.files[0]?.name).toBe('rest.safetensors');
    expect(await weightFiles(model)).toEqual([]);
    expect(await hashTensors(await openCheckpoint(folder))).toEqual(before);
  });

  it('after shards without what no layer uses: that comes first', async () => {
    const model = join(await temporaryFolder(), 'model');
    await cp(join(fixturesFolder, 'llama-extra-keys'), model, { recursive: true });
    const before = await hashTensors(await openCheckpoint(model));
    await shardModel(model, { format: 'none' });
    const { folder, deleted } = await shardModel(model, { deleteOriginal: true });
    expect(deleted).toHaveLength(1);
    expect(await hashTensors(await openCheckpoint(folder))).toEqual(before);
  });

  it('goes on after an abort, with some originals gone', async () => {
    const model = await makeModel({ shardBytes: 100_000 });
    const expected = await hashTensors(await openCheckpoint(model));
    const all = await weightFiles(model);
    const abort = new AbortController();
    const error = await errorOf(
      shardModel(model, {
        ...{ deleteOriginal: true, signal: abort.signal },
        onProgress: ({ phase, filesDone }) => void (phase === 'write' && filesDone >= 3 && abort.abort()),
      }),
    );
    expect(error.code).toBe('ABORTED');
    const left = await weightFiles(model);
    expect(left.length).toBeLessThan(all.length);
    expect(left.length).toBeGreaterThan(0);
    const folder = join(model, 'airllm.plain');
    const resumed = await resumeShards(folder, { deleteOriginal: true });
    expect(resumed?.deleted).toHaveLength(left.length);
    expect(await hashTensors(await openCheckpoint(folder))).toEqual(expected);
  });

  it('keeps an original that holds something that is in no shard, and names it', async () => {
    const model = await makeModel();
    const { folder } = await shardModel(model);
    // The originals were replaced by files with one tensor more, after the manifest.
    const [name = ''] = await weightFiles(model);
    const { tensors } = await readHeader(join(model, name));
    const bytes = await readTensorBytes(await openCheckpoint(model));
    const more = [...tensors.values()].map(({ name: tensor, dtype, shape }) => ({
      ...{ name: tensor, dtype, shape, data: new Uint8Array(bytes.get(tensor) ?? []) },
    }));
    const extra = { name: 'extra', dtype: 'U8' as Dtype, shape: [1], data: new Uint8Array(1) };
    const other = await temporaryFolder();
    await writeSafetensors(join(other, name), [...more, extra]);
    await rename(join(other, name), join(model, name));
    // By the stored plan, as when another original is gone.
    const manifest = await readManifest(folder);
    if (!manifest) throw new Error(`no manifest in ${folder}`);
    const { deleted, kept } = await writeShards(planOf(manifest), folder, { deleteOriginal: true });
    expect(deleted).toEqual([]);
    expect(kept).toEqual([join(model, name)]);
    expect(await weightFiles(model)).toEqual([name]);
  });

  it('takes the blob of the hub cache with its link', async () => {
    const { snapshot, repository } = await makeSnapshot();
    const { folder } = await shardModel(snapshot, { deleteOriginal: true });
    expect((await readdir(snapshot)).filter((name) => /safetensors/.test(name))).toEqual([]);
    expect((await readdir(join(repository, 'blobs'))).filter((name) => /safetensors/.test(name))).toEqual([]);
    expect(await verifyShards(folder)).toEqual([]);
  });

  it('leaves a blob that another snapshot links to', async () => {
    const { snapshot, repository } = await makeSnapshot();
    const other = join(repository, 'snapshots', 'b'.repeat(40));
    await mkdir(other);
    const [first = '', second = ''] = await weightFiles(snapshot);
    await symlink(join('..', '..', 'blobs', `blob-${first}`), join(other, first));
    await deleteOriginal(join(snapshot, first));
    await deleteOriginal(join(snapshot, second));
    const blobs = await readdir(join(repository, 'blobs'));
    expect(blobs).toContain(`blob-${first}`);
    expect(blobs).not.toContain(`blob-${second}`);
  });

  it('deletes torch files when all is done, from the copies of transposed tensors too', async () => {
    const model = join(await temporaryFolder(), 'model');
    await cp(join(fixturesFolder, 'llama-bin-sharded'), model, { recursive: true });
    const { checkpoint, weights } = await openModel(model);
    const expected = await hashTensors(checkpoint);
    const { folder } = await shardCheckpoint({ checkpoint, weights, deleteOriginal: true });
    expect((await readdir(model)).filter((name) => /\.bin/.test(name))).toEqual([]);
    expect(await hashTensors(await openCheckpoint(folder))).toEqual(expected);
  });

  it('does not trust a shard that does not read back', async () => {
    const model = await makeModel();
    const { folder } = await shardModel(model);
    const path = join(folder, 'layer-1.safetensors');
    const bytes = await readFile(path);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(path, bytes);
    const error = await errorOf(shardModel(model, { deleteOriginal: true }));
    expect(error).toMatchObject({ code: 'CORRUPT_SHARD', fields: { files: ['layer-1.safetensors'] } });
    expect((await weightFiles(model)).length).toBeGreaterThan(0);
  });
});
