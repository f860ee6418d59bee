// The native boundary, described in one place: what native/addon.cc registers.

import { loadAddon } from '@airllm/native';
import type { NativeMethod } from './read-queue.js';

/** One queue of reads. Errors carry a `code` of {@link DirectIoErrorCode}, or `errno` and `fileOffset` of a failed read. */
export interface NativeReader {
  /**
   * Fills memory[bufferOffset, + byteLength) and resolves to the bytes that arrived, fewer where the file ended. `id` is
   * unused by any other read in flight; `alignment` is 4096 for direct reads, else 1; `fresh` says that nothing was written
   * to the memory yet.
   */
  read(
    id: number,
    fd: number,
    memory: Uint8Array,
    bufferOffset: number,
    byteLength: number,
    fileOffset: number,
    alignment: number,
    fresh: boolean,
  ): Promise<number>;
  /** What has not been asked of the disk yet is not; the read then fails with ECANCELED. */
  cancel(id: number): void;
  /** Ends the threads. No read may be in flight. */
  close(): void;
}

export interface NativeBinding {
  /** @throws `READER_UNAVAILABLE` with the reason */
  readonly Reader: new (method: NativeMethod, queueDepth: number, requestBytes: number) => NativeReader;
  /** True where reads of this open file pass the page cache by from now on (macOS). */
  bypassCache(fd: number): boolean;
}

let loaded: NativeBinding | undefined;

/** @throws NativeAddonError */
export function loadBinding(): NativeBinding {
  loaded ??= loadAddon<NativeBinding>({ packageDir: new URL('..', import.meta.url), name: 'direct_io' });
  return loaded;
}
