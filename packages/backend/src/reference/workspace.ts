// What commands of a submission work on.

import type { BatchLayout } from '../batch.js';
import { BackendError } from '../errors.js';
import type { ReferenceKvCache } from './reference-kv-cache.js';

/** The memory a command works on; its operands have been checked. */
export interface Workspace {
  /** The arena. */
  readonly values: Float64Array;
  readonly kvCache: ReferenceKvCache | undefined;
  readonly batch: BatchLayout | undefined;
}

/** What ops need that mix the rows of a sequence. */
export function sequenceMemory({ kvCache, batch }: Workspace): {
  kvCache: ReferenceKvCache;
  batch: BatchLayout;
} {
  if (!kvCache || !batch) throw new BackendError('INVALID_OPERAND', 'Expected a KV cache and a batch layout');
  return { kvCache, batch };
}
