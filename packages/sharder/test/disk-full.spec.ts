// A disk that fills up: a typed error with the number missing, nothing damaged, and a run that goes on once there is space.

import { execFileSync } from 'node:child_process';
import { statfsSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planShards, verifyShards, writeShards, type ShardProgress } from '../src/index.js';
import { errorOf, hashFolder, makeModel, openModel, shardModel, temporaryFolder } from './make-model.js';

const MB = 2 ** 20;

/** Mounts a file system of `bytes`; undefined, with the reason printed, where that is not allowed. */
async function mountSmall(kind: 'tmpfs' | 'ext4', bytes: number): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'airllm-small-'));
  try {
    if (kind === 'tmpfs') {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder], { stdio: 'pipe' });
    } else {
      const image = `${folder}.img`;
      await writeFile(image, Buffer.alloc(bytes));
      execFileSync('mkfs.ext4', ['-q', '-m', '0', image], { stdio: 'pipe' });
      execFileSync('mount', ['-o', 'loop', image, folder], { stdio: 'pipe' });
    }
  } catch (error) {
    console.warn(`SKIPPED a full ${kind}: it cannot be mounted here (${String(error).split('\n')[0]}).`);
    return undefined;
  }
  mounted.push(folder);
  return folder;
}

const mounted: string[] = [];
afterAll(async () => {
  for (const folder of mounted) {
    execFileSync('umount', [folder]);
    await rm(folder, { recursive: true });
    await rm(`${folder}.img`, { force: true });
  }
});

for (const kind of ['tmpfs', 'ext4'] as const) {
  const small = await mountSmall(kind, 24 * MB);
  const on = small === undefined ? describe.skip : describe;
  on(`a full ${kind}`, () => {
    const base = small ?? '';

    it('is refused before anything is written, with the number of bytes that are missing', async () => {
      // 8 layers of 6.3 MB.
      const model = await makeModel({ hiddenSize: 512, intermediateSize: 1536, layers: 8 });
      const before = await readdir(base);
      const error = await errorOf(shardModel(model, { baseFolder: base }));
      const { bavail, bsize } = await statfs(base);
      expect(error.code).toBe('DISK_FULL');
      const { missingBytes, neededBytes, freeBytes } = error.fields as Record<string, number>;
      expect(freeBytes).toBe(bavail * bsize);
      expect(missingBytes).toBe((neededBytes ?? 0) - (freeBytes ?? 0));
      expect(neededBytes).toBeGreaterThan(8 * 6.29e6);
      expect(await readdir(base)).toEqual(before);
    });

    it('in the middle: what is finished stays, and the next run goes on from there', async () => {
      const model = await makeModel({ hiddenSize: 512, intermediateSize: 1536, layers: 2 });
      const undisturbed = await shardModel(model, { baseFolder: await temporaryFolder() });
      const { checkpoint, weights } = await openModel(model);
      const shardFolder = join(base, 'shards');
      const plan = await planShards({ checkpoint, weights, shardFolder });
      const filler = join(base, 'filler');
      let isFull = false;
      // Someone else takes the space once the first file has its name.
      const onProgress = ({ filesDone }: ShardProgress): void => {
        if (isFull || filesDone < 1) return;
        isFull = true;
        const { bavail, bsize } = statfsSync(base);
        writeFileSync(filler, Buffer.alloc(bavail * bsize - 2 * MB));
      };
      const error = await errorOf(writeShards(plan, shardFolder, { onProgress }));
      expect(error.code).toBe('DISK_FULL');
      expect(error.fields['missingBytes']).toBeGreaterThan(0);
      expect(error.message).toMatch(/are missing/);
      // Complete files under their names and nothing else that counts.
      const names = (await readdir(shardFolder)).filter((name) => !name.startsWith('.'));
      expect(names).toContain('embedding.safetensors');
      expect(names).not.toContain('airllm-manifest.json');
      expect((await readdir(shardFolder)).some((name) => name.endsWith('.partial'))).toBe(false);
      await rm(filler);
      const { folder } = await writeShards(plan, shardFolder);
      expect(await verifyShards(folder)).toEqual([]);
      const { 'airllm-manifest.json': _theirs, ...expected } = await hashFolder(undisturbed.folder);
      const { 'airllm-manifest.json': _ours, ...found } = await hashFolder(folder);
      expect(found).toEqual(expected);
      await rm(shardFolder, { recursive: true });
    });
  });
}
