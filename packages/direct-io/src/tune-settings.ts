// Finds the depth and the size of requests that one disk is fastest with, by reading a large file of it for half a second.

import { DEFAULT_SETTINGS, openReadQueue, type QueueSettings } from './open-read-queue.js';
import type { NativeMethod, ReadableFile } from './read-queue.js';

export interface TuneOptions {
  /** Open for direct reads, and large. */
  readonly file: ReadableFile;
  readonly fileBytes: number;
  /** Page-aligned and written to before; each is filled by one read, of a multiple of 4096 bytes. */
  readonly memories: readonly Uint8Array[];
  /** For each of the settings tried. Default 70. */
  readonly milliseconds?: number;
  readonly method?: 'auto' | NativeMethod;
}

export interface TunedSettings extends QueueSettings {
  readonly bytesPerSecond: number;
}

const REQUEST_BYTES = [2 ** 18, 2 ** 19, 2 ** 20, 2 ** 21];
const QUEUE_DEPTHS = [8, 16, 32];
/** The defaults stay unless others are this much faster: less may be chance. */
const LEAST_GAIN = 1.05;

/**
 * The best size at the usual depth, then the best depth for it.
 *
 * @throws DirectIoError `READ_FAILED`, `READER_UNAVAILABLE`
 */
export async function tuneSettings(options: TuneOptions): Promise<TunedSettings> {
  // One front to back for all: what was read before may come from a cache of the disk.
  const cursor = { fileOffset: 0 };
  const measure = async (settings: QueueSettings): Promise<TunedSettings> => ({
    ...settings,
    bytesPerSecond: await measureRate(settings, cursor, options),
  });
  let best = await measure(DEFAULT_SETTINGS);
  const consider = async (settings: QueueSettings): Promise<void> => {
    if (settings.queueDepth === best.queueDepth && settings.requestBytes === best.requestBytes) return;
    const tried = await measure(settings);
    if (tried.bytesPerSecond > best.bytesPerSecond * LEAST_GAIN) best = tried;
  };
  const { queueDepth } = best;
  for (const requestBytes of REQUEST_BYTES) await consider({ queueDepth, requestBytes });
  const { requestBytes } = best;
  for (const depth of QUEUE_DEPTHS) await consider({ queueDepth: depth, requestBytes });
  return best;
}

async function measureRate(
  settings: QueueSettings,
  cursor: { fileOffset: number },
  options: TuneOptions,
): Promise<number> {
  const { file, fileBytes, memories, milliseconds = 70, method } = options;
  const { queue } = openReadQueue({ ...settings, ...(method !== undefined && { method }) });
  await using _queue = queue;
  let bytes = 0;
  const started = performance.now();
  const lanes = memories.map(async (memory) => {
    do {
      const byteLength = memory.byteLength;
      if (cursor.fileOffset + byteLength > fileBytes) cursor.fileOffset = 0;
      const range = { bufferOffset: 0, byteLength, fileOffset: cursor.fileOffset };
      cursor.fileOffset += byteLength;
      const arrived = await queue.read({ file, memory, ...range });
      bytes += arrived;
    } while (performance.now() - started < milliseconds);
  });
  const results = await Promise.allSettled(lanes);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return bytes / ((performance.now() - started) / 1000);
}
