// Errors of the compute contract.

import { AirllmError } from '@airllm/errors';

/** Codes: `INVALID_OPERAND`, `OUT_OF_MEMORY`, `BACKEND_UNAVAILABLE`, `BACKEND_CLOSED`. */
export type BackendErrorCode = 'INVALID_OPERAND' | 'OUT_OF_MEMORY' | 'BACKEND_UNAVAILABLE' | 'BACKEND_CLOSED';

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
