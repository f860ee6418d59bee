// Chooses what reads: native code where it loads, and of that what the kernel allows.

import { NativeAddonError } from '@airllm/native';
import { loadBinding, type NativeBinding } from './binding.js';
import { DirectIoError } from './errors.js';
import { NativeQueue } from './native-queue.js';
import { NodeQueue } from './node-queue.js';
import type { NativeMethod, ReadMethod, ReadQueue } from './read-queue.js';
import { codeOf, messageOf } from './system-error.js';

/** Requests that a device sees. */
export interface QueueSettings {
  /** In flight at once, 1 to 1024. */
  readonly queueDepth: number;
  /** Bytes of each, a multiple of 4096. */
  readonly requestBytes: number;
}

/** Enough for NVMe disks and network volumes to be busy all the time. */
export const DEFAULT_SETTINGS: QueueSettings = { queueDepth: 16, requestBytes: 2 ** 19 };

export interface OpenReadQueueOptions extends Partial<QueueSettings> {
  /**
   * Default `auto`: `io_uring` where the kernel allows it, else `threads`, or `node` where the addon does not load. Named
   * methods are refused where they cannot be had.
   */
  readonly method?: 'auto' | ReadMethod;
}

export interface OpenedReadQueue {
  readonly queue: ReadQueue;
  /** Why reads go through node:fs although they were not asked to; undefined when they do not. */
  readonly fallbackReason: string | undefined;
}

/**
 * @throws DirectIoError `READER_UNAVAILABLE` when a named method cannot be had, `INVALID_READ` for impossible settings
 * @example
 * const { queue } = openReadQueue({ queueDepth: 32 });
 */
export function openReadQueue(options: OpenReadQueueOptions = {}): OpenedReadQueue {
  const { method = 'auto', ...given } = options;
  const settings = { ...DEFAULT_SETTINGS, ...given };
  expectSettings(settings);
  if (method === 'node') return { queue: new NodeQueue(), fallbackReason: undefined };
  const binding = tryLoadBinding();
  if (typeof binding === 'string') {
    if (method !== 'auto') throw unavailable(method, binding);
    return { queue: new NodeQueue(), fallbackReason: binding };
  }
  const queue =
    method === 'auto'
      ? (tryOpenNative(binding, 'io_uring', settings) ?? openNative(binding, 'threads', settings))
      : openNative(binding, method, settings);
  return { queue, fallbackReason: undefined };
}

/** Undefined where the kernel, or what confines the process, refuses the method. */
function tryOpenNative(
  binding: NativeBinding,
  method: NativeMethod,
  settings: QueueSettings,
): ReadQueue | undefined {
  try {
    return openNative(binding, method, settings);
  } catch (error) {
    if (codeOf(error) === 'READER_UNAVAILABLE') return undefined;
    throw error;
  }
}

function openNative(
  { Reader }: NativeBinding,
  method: NativeMethod,
  { queueDepth, requestBytes }: QueueSettings,
): ReadQueue {
  try {
    return new NativeQueue(new Reader(method, queueDepth, requestBytes), method);
  } catch (cause) {
    if (codeOf(cause) !== 'READER_UNAVAILABLE') throw cause;
    throw unavailable(method, messageOf(cause), cause);
  }
}

/** The binding, or in one line why there is none. */
export function tryLoadBinding(): NativeBinding | string {
  try {
    return loadBinding();
  } catch (error) {
    if (!NativeAddonError.isInstance(error)) throw error;
    return error.message.split('\n').join(' ');
  }
}

function unavailable(method: ReadMethod, reason: string, cause?: unknown): DirectIoError {
  return new DirectIoError(
    'READER_UNAVAILABLE',
    `Expected to read with ${method} but this machine refuses: ${reason}. Leave the method to 'auto'.`,
    { fields: { method }, cause },
  );
}

function expectSettings({ queueDepth, requestBytes }: QueueSettings): void {
  const depthValid = Number.isInteger(queueDepth) && queueDepth >= 1 && queueDepth <= 1024;
  const bytesValid = requestBytes >= 4096 && requestBytes <= 2 ** 30 && requestBytes % 4096 === 0;
  if (depthValid && bytesValid) return;
  throw new DirectIoError(
    'INVALID_READ',
    `Expected a queue depth within [1, 1024] and requests of 4096 bytes to 1 GiB, in multiples of 4096, but received ${queueDepth} and ${requestBytes}`,
    { fields: { queueDepth, requestBytes } },
  );
}
