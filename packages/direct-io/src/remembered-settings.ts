// What tuning found, by disk, in a small file of the user's cache: read by every process, so everything in it is checked.

import { mkdir, open, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { QueueSettings } from './open-read-queue.js';

/** More is not ours. */
const MAX_FILE_BYTES = 64 * 1024;
/** Disks that are remembered; the one that was measured longest ago goes first. */
const MAX_DISKS = 64;
const VERSION = 1;
const MAX_QUEUE_DEPTH = 128;
const MAX_REQUEST_BYTES = 16 * 2 ** 20;

/** In the folder `AIRLLM_CACHE`, or `airllm` in the user's cache. */
export function settingsPath(env: NodeJS.ProcessEnv = process.env): string {
  const folder = env['AIRLLM_CACHE'] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'airllm');
  return join(folder, 'disks.json');
}

/** By device id, in the order they were measured. Empty where the file is missing, damaged or of another version. */
export async function readRememberedSettings(path = settingsPath()): Promise<Map<string, QueueSettings>> {
  try {
    const handle = await open(path, 'r');
    try {
      if ((await handle.stat()).size > MAX_FILE_BYTES) return new Map();
      return parseRemembered(JSON.parse(await handle.readFile('utf8')));
    } finally {
      await handle.close();
    }
  } catch {
    return new Map();
  }
}

/** False where the cache cannot be written: the next process measures again. */
export async function rememberSettings(
  id: string,
  settings: QueueSettings,
  path = settingsPath(),
): Promise<boolean> {
  const known = await readRememberedSettings(path);
  known.delete(id);
  known.set(id, { queueDepth: settings.queueDepth, requestBytes: settings.requestBytes });
  const disks = [...known].slice(-MAX_DISKS).map(([disk, found]) => ({ id: disk, ...found }));
  const temporary = `${path}.${process.pid}.partial`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(temporary, 'w', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify({ version: VERSION, disks })}\n`);
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    return true;
  } catch {
    await rm(temporary, { force: true }).catch(() => undefined);
    return false;
  }
}

/** Entries that are not what {@link rememberSettings} writes are left out. */
function parseRemembered(json: unknown): Map<string, QueueSettings> {
  const found = new Map<string, QueueSettings>();
  if (!isRecord(json) || json['version'] !== VERSION || !Array.isArray(json['disks'])) return found;
  const disks: readonly unknown[] = json['disks'];
  for (const disk of disks.slice(-MAX_DISKS)) {
    if (!isRecord(disk)) continue;
    const { id, queueDepth, requestBytes } = disk;
    const settings = { queueDepth, requestBytes };
    if (typeof id === 'string' && isWithinLimits(settings)) found.set(id, settings);
  }
  return found;
}

/** What tuning may find: not all that a queue accepts, since memory and threads follow from it. */
function isWithinLimits(settings: Record<keyof QueueSettings, unknown>): settings is QueueSettings {
  const { queueDepth, requestBytes } = settings;
  return (
    isWhole(queueDepth, 1, MAX_QUEUE_DEPTH) &&
    isWhole(requestBytes, 4096, MAX_REQUEST_BYTES) &&
    requestBytes % 4096 === 0
  );
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
