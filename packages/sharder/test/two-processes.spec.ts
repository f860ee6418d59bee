// One process works in a folder at a time, whatever happened to the one before.

import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FolderLock } from '../src/write/folder-lock.js';
import { currentProcess, stateOf } from '../src/write/process-identity.js';
import { errorOf, hashFolder, makeModel, shardModel, temporaryFolder } from './make-model.js';
import { ShardProcess } from './shard-process.js';

it('of two that shard one model, one works and the other uses what came of it', async () => {
  const model = await makeModel({ layers: 4 });
  const [base, other] = [await temporaryFolder(), await temporaryFolder()];
  const expected = await hashFolder((await shardModel(model, { baseFolder: other, format: '4bit' })).folder);
  const pair = [1, 2].map(() => new ShardProcess({ model, base, format: '4bit', pauseMs: 5 }));
  await Promise.all(pair.map((child) => child.go()));
  const outcomes = await Promise.all(pair.map((child) => child.outcome()));
  expect(outcomes.map((outcome) => outcome?.done)).toEqual([true, true]);
  expect(outcomes.map((outcome) => outcome?.phases?.join()).sort()).toEqual(['wait', 'write']);
  const [name = ''] = await readdir(base);
  expect(await hashFolder(join(base, name))).toEqual(expected);
});

describe('the lock of a folder', () => {
  const lockFile = (folder: string, number: number): string => join(folder, `.airllm-lock.${number}`);

  it('is held by one of many at a time', async () => {
    const folder = await temporaryFolder();
    let holders = 0;
    const work = async (): Promise<void> => {
      await using _lock = await FolderLock.acquire(folder);
      holders += 1;
      expect(holders).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 2));
      holders -= 1;
    };
    await Promise.all(Array.from({ length: 8 }, work));
    expect((await readdir(folder)).length).toBe(1);
  });

  it('of a process that is gone is free', async () => {
    const folder = await temporaryFolder();
    // No process has a pid beyond the kernel's limit of 2^22.
    await writeFile(lockFile(folder, 3), JSON.stringify({ ...currentProcess(), pid: 2 ** 22 + 1 }));
    await using _lock = await FolderLock.acquire(folder);
    expect(await readdir(folder)).toEqual(['.airllm-lock.4']);
  });

  it('of a pid that was given to another process is free', () => {
    expect(stateOf(currentProcess())).toBe('alive');
    const canTell = process.platform === 'linux';
    if (!canTell)
      console.warn('SKIPPED a pid that was given again: processes do not say here when they began.');
    if (canTell) expect(stateOf({ ...currentProcess(), started: '1' })).toBe('dead');
  });

  it('of another machine is waited for', async () => {
    const folder = await temporaryFolder();
    await mkdir(folder, { recursive: true });
    await writeFile(lockFile(folder, 1), JSON.stringify({ ...currentProcess(), machine: 'elsewhere' }));
    const abort = new AbortController();
    const waited: unknown[] = [];
    const error = await errorOf(
      FolderLock.acquire(folder, {
        signal: abort.signal,
        onWait: (owner) => {
          waited.push(owner.machine);
          abort.abort();
        },
      }),
    );
    expect(error.code).toBe('ABORTED');
    expect(waited).toEqual(['elsewhere']);
  });

  it('without a name in it, as file systems without hard links begin one, is waited for until it is old', async () => {
    const folder = await temporaryFolder();
    await writeFile(lockFile(folder, 1), '');
    const abort = new AbortController();
    const error = await errorOf(
      FolderLock.acquire(folder, { signal: abort.signal, onWait: () => abort.abort() }),
    );
    expect(error.code).toBe('ABORTED');
    await utimes(lockFile(folder, 1), new Date(0), new Date(0));
    await using _lock = await FolderLock.acquire(folder);
    expect(await readdir(folder)).toEqual(['.airllm-lock.2']);
  });

  it('whose number came back after its successor is given up', async () => {
    const folder = await temporaryFolder();
    const first = await FolderLock.acquire(folder);
    await first[Symbol.asyncDispose]();
    const second = await FolderLock.acquire(folder);
    expect(await readdir(folder)).toEqual(['.airllm-lock.2']);
    await second[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
});
