// One process works in a folder at a time. Lock files are numbered and never reused: the highest number says who works
// there, and whoever finds that owner gone takes the next one. Two that try at once want the same name, which the file
// system gives to one of them; so a lock left by a crash is broken without a moment in which two hold it.

import { link, mkdir, readdir, readFile, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ShardError, systemCode, toWriteError } from '../errors.js';
import { currentProcess, stateOf, type ProcessIdentity } from './process-identity.js';

const NAME = /^\.airllm-lock\.(\d{1,15})$/;
const POLL_MS = 200;
/** An owner on another machine shows by this that it lives. */
const HEARTBEAT_MS = 5_000;
/** Watched for so long without a heartbeat, such an owner counts as gone. */
const LOST_AFTER_MS = 60_000;

/** What a lock file holds once its owner has ended. */
const RELEASED = 'released';
/** Where a lock cannot appear with its owner's name in it, it may be without one for so long. */
const NAMELESS_MS = 10_000;

const ownerSchema = z.strictObject({ pid: z.int(), started: z.string(), machine: z.string() });

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once, before waiting for another process. */
  readonly onWait?: ((owner: ProcessIdentity) => void) | undefined;
}

export class FolderLock implements AsyncDisposable {
  readonly #path: string;
  readonly #heartbeat: NodeJS.Timeout;

  private constructor(path: string) {
    this.#path = path;
    this.#heartbeat = setInterval(
      () => void utimes(path, new Date(), new Date()).catch(() => undefined),
      HEARTBEAT_MS,
    );
    this.#heartbeat.unref();
  }

  /**
   * Takes the lock of `folder`, which is made if need be; waits while another process has it.
   *
   * @throws ShardError `ABORTED` while waiting, `TARGET_READ_ONLY`, `DISK_FULL`, `WRITE_FAILED`
   */
  static async acquire(folder: string, { signal, onWait }: LockOptions = {}): Promise<FolderLock> {
    const watch = new Watch();
    let told = false;
    for (;;) {
      const { highest, owner } = await readState(folder);
      if (owner === undefined || (await watch.isGone(join(folder, lockName(highest)), owner))) {
        const path = join(folder, lockName(highest + 1));
        if (await take(folder, path)) return new FolderLock(path);
        continue;
      }
      if (!told) onWait?.(owner);
      told = true;
      if (signal?.aborted) throw aborted(folder, signal);
      await sleep(POLL_MS, undefined, signal ? { signal } : {}).catch(() => undefined);
    }
  }

  /** The file stays, without an owner: its number must not be given again while someone may still want it. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#heartbeat);
    await writeFile(this.#path, RELEASED).catch(() => undefined);
  }
}

/** Whether `name` is one of the files that locking leaves in a folder. */
export function isLockName(name: string): boolean {
  return name.startsWith('.airllm-lock.');
}

function lockName(number: number): string {
  return `.airllm-lock.${number}`;
}

interface LockState {
  readonly highest: number;
  /** Undefined when the lock is free. */
  readonly owner: ProcessIdentity | undefined;
}

async function readState(folder: string): Promise<LockState> {
  const highest = Math.max(0, ...(await lockNumbers(folder)));
  if (highest === 0) return { highest, owner: undefined };
  const path = join(folder, lockName(highest));
  const text = await readFile(path, 'utf8').catch(() => RELEASED);
  const owner = parseOwner(text);
  if (owner !== undefined || text === RELEASED) return { highest, owner };
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: 0 }));
  return { highest, owner: Date.now() - mtimeMs < NAMELESS_MS ? currentProcess() : undefined };
}

function parseOwner(text: string): ProcessIdentity | undefined {
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

async function lockNumbers(folder: string): Promise<number[]> {
  try {
    return (await readdir(folder)).flatMap((name) => NAME.exec(name)?.slice(1).map(Number) ?? []);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return [];
    throw toWriteError(cause, folder);
  }
}

/** False when someone else was first. The owner's name is in the file from its first moment on. */
async function take(folder: string, path: string): Promise<boolean> {
  const draft = join(folder, `.airllm-lock.draft-${process.pid}-${Math.random().toString(36).slice(2)}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(draft, JSON.stringify(currentProcess()));
    await linkOrCreate(draft, path);
  } catch (cause) {
    if (systemCode(cause) === 'EEXIST') return false;
    throw toWriteError(cause, path);
  } finally {
    await rm(draft, { force: true }).catch(() => undefined);
  }
  const mine = Number(NAME.exec(path.slice(folder.length + 1))?.[1]);
  const numbers = await lockNumbers(folder);
  if (Math.max(...numbers) > mine) {
    // This number was free because its successor's owner had cleaned up: too late.
    await unlink(path).catch(() => undefined);
    return false;
  }
  for (const number of numbers) {
    if (number < mine) await rm(join(folder, lockName(number)), { force: true });
  }
  return true;
}

/** File systems without hard links (exFAT) get the file first and the name in it right after. */
async function linkOrCreate(draft: string, path: string): Promise<void> {
  try {
    await link(draft, path);
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined || !['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code))
      throw error;
    await writeFile(path, await readFile(draft), { flag: 'wx' });
  }
}

/** Whether an owner is gone; for one on another machine, by its heartbeats as they are seen from here. */
class Watch {
  #seen: { readonly path: string; readonly modifiedMs: number; readonly since: number } | undefined;

  async isGone(path: string, owner: ProcessIdentity): Promise<boolean> {
    const state = stateOf(owner);
    if (state !== 'unknown') return state === 'dead';
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: 0 }));
    const now = performance.now();
    if (this.#seen?.path !== path || this.#seen.modifiedMs !== mtimeMs) {
      this.#seen = { path, modifiedMs: mtimeMs, since: now };
    }
    return now - this.#seen.since > LOST_AFTER_MS;
  }
}

function aborted(folder: string, signal: AbortSignal): ShardError {
  return new ShardError('ABORTED', `Waiting for another process that shards into ${folder} was aborted.`, {
    fields: { folder },
    cause: signal.reason,
  });
}
