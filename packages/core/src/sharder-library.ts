// @airllm/sharder, loaded when it is first used: most models are run as they are, and need nothing of it.

import type * as Sharder from '@airllm/sharder';

export function loadSharder(): Promise<typeof Sharder> {
  return import('@airllm/sharder');
}

/** `verifyShards` of @airllm/sharder: which files of a folder of shards are not what its manifest says. */
export async function verifyShards(
  ...request: Parameters<typeof Sharder.verifyShards>
): ReturnType<typeof Sharder.verifyShards> {
  return (await loadSharder()).verifyShards(...request);
}

/** `repairShards` of @airllm/sharder: makes the named files of a folder of shards again, from the originals. */
export async function repairShards(
  ...request: Parameters<typeof Sharder.repairShards>
): ReturnType<typeof Sharder.repairShards> {
  return (await loadSharder()).repairShards(...request);
}
