// What may be held on a device with memory of its own: as it is asked for, before the device is known.

import { parseBytes } from './parse-bytes.js';
import { parseShare } from './parse-share.js';

/** Bytes, or a share of what the device has for this process; with neither, all of that. */
export interface DeviceMemoryRequest {
  readonly bytes?: number;
  readonly share?: number;
}

/**
 * `memory.device`: a size (see `parseBytes`), a share such as `'50%'`, or `'auto'`.
 *
 * @throws {@link CoreError} `INVALID_OPTION`
 */
export function parseDeviceMemory(device: string | number): DeviceMemoryRequest {
  if (device === 'auto') return {};
  const share = parseShare(device);
  return share === undefined ? { bytes: parseBytes(device, 'memory.device') } : { share };
}
