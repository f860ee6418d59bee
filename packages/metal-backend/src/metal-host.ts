// What this package needs of the machine; tests stand in for a Mac.

import { createWebGpuBackend, probeWebGpu } from '@airllm/webgpu-backend';
import { readMacFacts } from './mac-facts.js';

export interface MetalHost {
  readonly platform: NodeJS.Platform;
  readonly facts: typeof readMacFacts;
  readonly probe: typeof probeWebGpu;
  readonly create: typeof createWebGpuBackend;
}

export const thisHost: MetalHost = {
  platform: process.platform,
  facts: readMacFacts,
  probe: probeWebGpu,
  create: createWebGpuBackend,
};

/** Why there is no Metal here; undefined on a Mac. */
export function notAMac({ platform }: MetalHost): string | undefined {
  if (platform === 'darwin') return undefined;
  return `Expected macOS for Metal but this is ${platform}. Use device: 'cuda' for a GPU of NVIDIA, 'webgpu' for any other, or 'cpu'.`;
}
