// Damaged shards are named, and made again alone.

import { open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repairShards, resumeShards, verifyShards } from '../src/index.js';
import { errorOf, hashFolder, makeModel, shardModel } from './make-model.js';

async function flipByte(path: string, offset: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[offset] = (bytes[offset] ?? 0) ^ 0x10;
  await writeFile(path, bytes);
}

describe('verify', () => {
  it('names each damaged file and what is wrong with it', async () => {
    const { folder } = await shardModel(await makeModel(), { format: '4bit' });
    expect(await verifyShards(folder)).toEqual([]);
    await rm(join(folder, 'embedding.safetensors'));
    await truncate(join(folder, 'layer-0.safetensors'), 5000);
    await flipByte(join(folder, 'layer-2.safetensors'), 6000);
    expect(await verifyShards(folder)).toEqual([
      { name: 'embedding.safetensors', damage: 'missing' },
      { name: 'layer-0.safetensors', damage: 'size' },
      { name: 'layer-2.safetensors', damage: 'contents' },
    ]);
    // Sizes alone cost no reading, and see what sizes show.
    expect((await verifyShards(folder, { contents: false })).map(({ damage }) => damage)).toEqual([
      'missing',
      'size',
    ]);
  });

  it('finds one bit anywhere in a file of several blocks', async () => {
    // 4000 × 1024 × 2 bytes: two blocks of 4 MiB.
    const model = await makeModel({ vocabSize: 4000, hiddenSize: 1024, intermediateSize: 32, layers: 1 });
    const { folder, manifest } = await shardModel(model);
    const path = join(folder, 'embedding.safetensors');
    const bytes = manifest.files[0]?.bytes ?? 0;
    for (const offset of [0, 4 * 2 ** 20 - 1, 4 * 2 ** 20, bytes - 1]) {
      const handle = await open(path, 'r+');
      const byte = new Uint8Array(1);
      await handle.read(byte, 0, 1, offset);
      await handle.write(new Uint8Array([(byte[0] ?? 0) ^ 1]), 0, 1, offset);
      expect([offset, await verifyShards(folder)]).toEqual([
        offset,
        [{ name: 'embedding.safetensors', damage: 'contents' }],
      ]);
      await handle.write(byte, 0, 1, offset);
      await handle.close();
    }
    expect(await verifyShards(folder)).toEqual([]);
  });

  it('refuses a folder without a manifest, and one whose manifest is damaged', async () => {
    const model = await makeModel();
    expect((await errorOf(verifyShards(model))).code).toBe('NOT_SHARDED');
    const { folder } = await shardModel(model);
    await writeFile(join(folder, 'airllm-manifest.json'), '{"version":1}');
    expect((await errorOf(verifyShards(folder))).code).toBe('INVALID_MANIFEST');
  });

  it('refuses a manifest that names files outside its folder', async () => {
    const { folder } = await shardModel(await makeModel());
    const path = join(folder, 'airllm-manifest.json');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('"embedding.safetensors"', '"../embedding.safetensors"'));
    expect((await errorOf(verifyShards(folder))).code).toBe('INVALID_MANIFEST');
  });
});

describe('repair', () => {
  it('makes one file again and leaves the others alone', async () => {
    const { folder } = await shardModel(await makeModel(), { format: '8bit' });
    const before = await hashFolder(folder);
    const times = async (): Promise<Record<string, bigint>> =>
      Object.fromEntries(
        await Promise.all(
          ['embedding', 'layer-0', 'layer-2', 'head'].map(async (name) => {
            const { ctimeNs } = await stat(join(folder, `${name}.safetensors`), { bigint: true });
            return [name, ctimeNs] as const;
          }),
        ),
      );
    const untouched = await times();
    await flipByte(join(folder, 'layer-1.safetensors'), 5000);
    await repairShards(folder, ['layer-1.safetensors']);
    expect(await verifyShards(folder)).toEqual([]);
    expect(await hashFolder(folder)).toEqual(before);
    expect(await times()).toEqual(untouched);
  });

  it('leaves the damaged file where the originals cannot give the same bytes', async () => {
    const model = await makeModel();
    const { folder } = await shardModel(model);
    await flipByte(join(folder, 'layer-1.safetensors'), 5000);
    const original = (await readdir(model)).find((name) => name.endsWith('.safetensors')) ?? '';
    await flipByte(join(model, original), 4000);
    const error = await errorOf(repairShards(folder, ['layer-1.safetensors']));
    expect(error).toMatchObject({ code: 'SOURCE_CHANGED', fields: { path: join(model, original) } });
    expect((await verifyShards(folder)).map(({ name }) => name)).toEqual(['layer-1.safetensors']);
    await rm(join(model, original));
    expect((await errorOf(repairShards(folder, ['layer-1.safetensors']))).code).toBe('CORRUPT_SHARD');
  });

  it('refuses a name that is no shard', async () => {
    const { folder } = await shardModel(await makeModel());
    expect((await errorOf(repairShards(folder, ['config.json']))).code).toBe('INVALID_OPTION');
  });
});

describe('opening', () => {
  it('makes a shard again that was cut', async () => {
    const model = await makeModel();
    const { folder } = await shardModel(model);
    const before = await hashFolder(folder);
    await truncate(join(folder, 'layer-1.safetensors'), 4096);
    await shardModel(model);
    expect(await hashFolder(folder)).toEqual(before);
  });

  it('names it where the originals are gone', async () => {
    const model = await makeModel();
    const { folder } = await shardModel(model, { deleteOriginal: true });
    await truncate(join(folder, 'layer-1.safetensors'), 4096);
    expect(await errorOf(resumeShards(folder))).toMatchObject({
      ...{ code: 'CORRUPT_SHARD', fields: { files: ['layer-1.safetensors'] } },
    });
  });
});
