// The limit that decoding is compared with: how fast this machine reads memory.

import { BackendError } from '@airllm/backend';
import { callNative, toBackendError } from '@airllm/native-submission';
import { availableParallelism } from 'node:os';
import { openBinding } from './create-cpu-backend.js';

export interface MemoryBandwidthOptions {
  /** Bytes read per pass; must be far beyond the last-level cache. Default 2 GiB. */
  bytes?: number;
  /** Default `os.availableParallelism()`. */
  threads?: number;
  /** Seconds of passes; the best one counts. Default 2. */
  seconds?: number;
}

/**
 * Reads a freshly written buffer with vector loads on all threads, several times, off the JavaScript thread.
 *
 * @throws BackendError `BACKEND_UNAVAILABLE`, `OUT_OF_MEMORY`
 */
export async function measureMemoryBandwidth(
  options: MemoryBandwidthOptions = {},
): Promise<{ bytesPerSecond: number }> {
  const { bytes = 2 * 2 ** 30, threads = availableParallelism(), seconds = 2 } = options;
  const binding = openBinding();
  try {
    const running = callNative(() => binding.measureMemoryBandwidth('auto', bytes, threads, seconds));
    return { bytesPerSecond: await running };
  } catch (cause) {
    const error = toBackendError(cause);
    if (error !== cause || !(cause instanceof Error) || !cause.message.includes('bad_alloc')) throw error;
    throw new BackendError('OUT_OF_MEMORY', `Expected ${bytes} bytes to read but the system refused`, {
      cause,
    });
  }
}
