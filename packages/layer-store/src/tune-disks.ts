// Has every disk that a model lies on measured once, and the settings it is fastest with remembered for all later runs.

import { stat } from 'node:fs/promises';
import type { WeightMemory } from '@airllm/backend';
import {
  deviceId,
  openFile,
  readRememberedSettings,
  rememberSettings,
  tuneSettings,
  type TunedSettings,
} from '@airllm/direct-io';
import { READS_IN_FLIGHT } from './dense-tiles.js';
import type { StoreLayout } from './store-layout.js';

/** Bytes of a read: what a streamed tile has. */
const READ_BYTES = 4 * 2 ** 20;
/** In a smaller file a disk would be measured by what is in its cache. */
const SMALLEST_FILE_BYTES = 256 * 2 ** 20;

export interface TunedDisk extends TunedSettings {
  readonly id: string;
}

export interface TuneDisksOptions {
  readonly layout: Pick<StoreLayout, 'denseTiles' | 'expertTiles'>;
  /** Memory for a few reads, given back in the end. */
  readonly allocate: (byteLength: number) => WeightMemory;
  /** Where settings are remembered. Default: the user's cache. */
  readonly cachePath?: string;
  /** Default 256 MiB. */
  readonly smallestFileBytes?: number;
}

interface LargeFile {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Measures the disks that are not remembered yet, each for half a second; those without direct reads or large files are left
 * as they are.
 *
 * @returns what was measured
 * @throws DirectIoError `READ_FAILED`, and the errors of opening files
 */
export async function tuneDisks(options: TuneDisksOptions): Promise<TunedDisk[]> {
  const { layout, allocate, cachePath, smallestFileBytes = SMALLEST_FILE_BYTES } = options;
  const known = await readRememberedSettings(cachePath);
  const tuned: TunedDisk[] = [];
  for (const [device, file] of await largestFiles(layout)) {
    const id = await deviceId(device);
    if (known.has(id) || file.bytes < smallestFileBytes) continue;
    const found = await tuneDisk(file, allocate);
    if (!found) continue;
    await rememberSettings(id, found, cachePath);
    tuned.push({ id, ...found });
  }
  return tuned;
}

/** By device. */
async function largestFiles(layout: TuneDisksOptions['layout']): Promise<Map<bigint, LargeFile>> {
  const tiles = [...layout.denseTiles, ...layout.expertTiles.values()];
  const paths = new Set(tiles.flatMap(({ reads }) => reads.map(({ path }) => path)));
  const largest = new Map<bigint, LargeFile>();
  for (const path of paths) {
    const { dev, size } = await stat(path, { bigint: true });
    const bytes = Number(size);
    if (bytes > (largest.get(dev)?.bytes ?? 0)) largest.set(dev, { path, bytes });
  }
  return largest;
}

async function tuneDisk(
  { path, bytes: fileBytes }: LargeFile,
  allocate: TuneDisksOptions['allocate'],
): Promise<TunedSettings | undefined> {
  const { file } = await openFile(path, { direct: true });
  const memories: WeightMemory[] = [];
  try {
    while (memories.length < READS_IN_FLIGHT) memories.push(allocate(Math.min(READ_BYTES, fileBytes)));
    if (!file.direct || memories.some(({ pageAligned }) => !pageAligned)) return undefined;
    // Pages are committed when they are first written, which is no part of a disk's speed.
    for (const { bytes } of memories) bytes.fill(0);
    return await tuneSettings({ file, fileBytes, memories: memories.map(({ bytes }) => bytes) });
  } finally {
    for (const memory of memories) memory.dispose();
    await file.handle.close();
  }
}
