// Whether it is worth loading drivers at all: on most servers without a GPU a look at /dev saves half a second.

import { existsSync } from 'node:fs';

const LINUX_NODES = ['/dev/dri', '/dev/nvidiactl', '/dev/dxg', '/dev/kfd'];
/** Whoever sets one of these has a driver in mind. */
const VARIABLES = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'VK_ADD_DRIVER_FILES', 'AIRLLM_CUDA_LIBRARY'];

export interface GpuHintsHost {
  readonly platform: NodeJS.Platform;
  readonly env: NodeJS.ProcessEnv;
  readonly exists: (path: string) => boolean;
}

/** Why no GPU can be here; undefined where one may be. */
export function noGpuReason(host: Partial<GpuHintsHost> = {}): string | undefined {
  const { platform = process.platform, env = process.env, exists = existsSync } = host;
  if (platform !== 'linux') return undefined;
  if (LINUX_NODES.some(exists) || VARIABLES.some((name) => env[name])) return undefined;
  return `this machine shows no GPU (${LINUX_NODES.join(', ')})`;
}
