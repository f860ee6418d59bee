// Errors of the layer store.

import { AirllmError } from '@airllm/errors';

export type LayerStoreErrorCode =
  | 'MISSING_TENSOR'
  | 'WRONG_SHAPE'
  | 'UNSUPPORTED_DTYPE'
  | 'BUDGET_TOO_SMALL'
  | 'READ_FAILED'
  | 'FILE_CHANGED'
  | 'STORE_CLOSED';

/** Thrown for weights that are absent or unusable, budgets that cannot hold, and failed reads. */
export class LayerStoreError extends AirllmError {
  declare readonly code: LayerStoreErrorCode;

  constructor(
    code: LayerStoreErrorCode,
    message: string,
    options: { fields?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, { code, ...options });
  }
}
