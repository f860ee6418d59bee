// Errors of the compute contract.

import { AirllmError } from '@airllm/errors';

/**
 * Codes: `INVALID_OPERAND`, `OUT_OF_MEMORY` (of the host), `OUT_OF_DEVICE_MEMORY`, `DEVICE_LOST` (what was submitted may have
 * run in part; the backend is of no more use), `BACKEND_UNAVAILABLE`, `BACKEND_CLOSED`.
 */
export type BackendErrorCode =
  | 'INVALID_OPERAND'
  | 'OUT_OF_MEMORY'
  | 'OUT_OF_DEVICE_MEMORY'
  | 'DEVICE_LOST'
  | 'BACKEND_UNAVAILABLE'
  | 'BACKEND_CLOSED';

/** Thrown while recording (wrong shapes) and by devices (memory, availability). */
export class BackendError extends AirllmError {
  declare readonly code: BackendErrorCode;

  constructor(
    code: BackendErrorCode,
    message: string,
    options: { fields?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, { code, ...options });
  }
}
