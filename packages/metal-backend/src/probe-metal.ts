// Whether a Metal backend could be opened here, and what it could hold, without opening one.

import type { WebGpuAdapter } from '@airllm/webgpu-backend';
import { notAMac, thisHost, type MetalHost } from './metal-host.js';
import { recommendedWorkingSet } from './working-set.js';

export type MetalProbe =
  | {
      readonly available: true;
      readonly adapter: WebGpuAdapter;
      /** What the GPU may hold of unified memory; undefined where it may have memory of its own. */
      readonly workingSetBytes: number | undefined;
    }
  | { readonly available: false; readonly reason: string };

/**
 * Never throws for what a machine lacks.
 *
 * @example
 * const probe = await probeMetal();
 * console.log(probe.available ? probe.adapter.name : probe.reason);
 */
export async function probeMetal(host: MetalHost = thisHost): Promise<MetalProbe> {
  const reason = notAMac(host);
  if (reason !== undefined) return { available: false, reason };
  const probe = await host.probe('metal');
  if (!probe.available) return probe;
  const facts = await host.facts();
  return { ...probe, workingSetBytes: facts && recommendedWorkingSet(facts) };
}
