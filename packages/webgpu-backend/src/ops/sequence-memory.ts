// What ops need that mix the rows of a sequence.

import type { BatchLayout } from '@airllm/backend';
import type { OpContext } from '../dispatch/op-context.js';
import type { CacheLayer } from '../memory/kv-cache.js';

/** Of a command that has been checked. */
export function sequenceMemory(
  { kvCache, batch }: OpContext,
  index: number,
): { batch: BatchLayout; layer: CacheLayer } {
  if (!kvCache || !batch) throw new TypeError('Expected a KV cache and a batch that have been checked');
  return { batch, layer: kvCache.layer(index) };
}
