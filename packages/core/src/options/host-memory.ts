// The memory budget of the process: what is asked for, or a share of what this machine has left.

import { freemem } from 'node:os';
import { availableMemoryOfMac } from './mac-memory.js';
import { parseBytes } from './parse-bytes.js';
import { parseShare } from './parse-share.js';

/** Share of the available memory that `'auto'` takes: room is left for other processes and the page cache. */
const AUTO_SHARE = 0.8;

/**
 * Bytes for `memory.host`: a size (see `parseBytes`), a share of the available memory such as `'50%'`, or `'auto'`,
 * which is 80%.
 *
 * @throws {@link CoreError} `INVALID_OPTION`
 */
export function resolveHostBytes(host: string | number = 'auto', availableBytes = availableMemory()): number {
  if (host === 'auto') return Math.floor(availableBytes * AUTO_SHARE);
  const share = parseShare(host);
  return parseBytes(share === undefined ? host : availableBytes * share, 'memory.host');
}

/** Bytes this process may still take: what the machine has free or can make free, less where a container limits it. */
export function availableMemory(): number {
  if (process.platform === 'darwin') return availableMemoryOfMac() ?? freemem();
  // Node 20.13 and later know the limit of the container.
  const ofContainer: unknown = (process as { availableMemory?: () => number }).availableMemory?.();
  return typeof ofContainer === 'number' ? Math.min(freemem(), ofContainer) : freemem();
}
