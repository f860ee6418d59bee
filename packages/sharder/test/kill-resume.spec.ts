// Killed at any instant, the next run goes on and leaves the same files as one that nobody disturbed.

import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ShardProgress } from '../src/index.js';
import { hashFolder, makeModel, shardModel, temporaryFolder } from './make-model.js';
import { ShardProcess } from './shard-process.js';

const KILLS = 50;
const FORMATS = ['none', '4bit', 'lossless'] as const;
const PAUSE_MS = 1;
/** An instant falls this long after a progress event at most: the work goes on through several of them. */
const MOST_AFTER_EVENT_MS = 5;

/** The one folder of shards in a base folder. */
async function shardFolderIn(base: string): Promise<string | undefined> {
  const names = await readdir(base).catch(() => []);
  return names[0] === undefined ? undefined : join(base, names[0]);
}

/** A repeatable sequence in [0, 1). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
}

describe('SIGKILL', () => {
  it(`at ${KILLS} instants: the next run leaves the files of an undisturbed one`, async () => {
    const model = await makeModel({ layers: 2, shardBytes: 100_000 });
    const undisturbed = new Map<string, { files: Record<string, string>; events: number }>();
    for (const format of FORMATS) {
      const base = await temporaryFolder();
      const child = new ShardProcess({ model, base, format, pauseMs: PAUSE_MS });
      await child.go();
      expect(await child.outcome()).toMatchObject({ done: true });
      const files = await hashFolder((await shardFolderIn(base)) ?? '');
      undisturbed.set(format, { files, events: child.events });
    }
    const random = createRandom(7);
    const base = join(await temporaryFolder(), 'base');
    const start = (index: number): ShardProcess =>
      new ShardProcess({ model, base, format: FORMATS[index % FORMATS.length] ?? 'none', pauseMs: PAUSE_MS });
    let interrupted = 0;
    let next = start(0);
    for (let kill = 0; kill < KILLS; kill++) {
      const format = FORMATS[kill % FORMATS.length] ?? 'none';
      const expected = undisturbed.get(format);
      const child = next;
      await child.go();
      // The process of the next round starts meanwhile; it waits to be told.
      next = start(kill + 1);
      await child.reached(Math.floor(random() * (expected?.events ?? 0)));
      await sleep(random() * MOST_AFTER_EVENT_MS);
      await child.kill();
      interrupted += (await child.outcome())?.done === true ? 0 : 1;
      const { folder } = await shardModel(model, { baseFolder: base, format });
      expect([kill, await hashFolder(folder)]).toEqual([kill, expected?.files]);
      await rm(base, { recursive: true });
    }
    await next.kill();
    // Otherwise the instants did not fall into the work.
    expect(interrupted).toBeGreaterThan(KILLS / 2);
  });

  it('what is finished is not read again', async () => {
    const model = await makeModel({ layers: 4 });
    const base = await temporaryFolder();
    const child = new ShardProcess({ model, base, format: '8bit', pauseMs: 20 });
    await child.go();
    // The embedding and two layers have their names: files are in the journal by then, or about to be.
    let folder: string | undefined;
    const isThere = async (name: string): Promise<boolean> => {
      folder ??= await shardFolderIn(base);
      return (
        folder !== undefined &&
        (await stat(join(folder, name)).then(
          () => true,
          () => false,
        ))
      );
    };
    while (!(await isThere('layer-1.safetensors'))) await sleep(2);
    await child.kill();
    const before = (await stat(join(folder ?? '', 'layer-0.safetensors'), { bigint: true })).ctimeNs;
    const events: ShardProgress[] = [];
    const { manifest } = await shardModel(model, {
      ...{ baseFolder: base, format: '8bit', onProgress: (event) => events.push(event) },
    });
    expect((await stat(join(folder ?? '', 'layer-0.safetensors'), { bigint: true })).ctimeNs).toBe(before);
    expect(events[0]?.filesDone).toBeGreaterThanOrEqual(2);
    expect(events.map(({ file }) => file)).not.toContain('embedding.safetensors');
    const bytesOf = (names: readonly string[]): number =>
      manifest.files
        .filter(({ name }) => names.includes(name))
        .flatMap(({ tensors }) => tensors.map(({ byteLength }) => byteLength))
        .reduce((sum, bytes) => sum + bytes, 0);
    const read = new Set(events.map(({ file }) => file));
    expect(events.at(-1)?.doneBytes).toBe(bytesOf([...read]));
  });
});
