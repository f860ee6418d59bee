// Errors of reading.

import { AirllmError } from '@airllm/errors';

/**
 * Codes: `READ_FAILED` (fields `path`, `fileOffset`, `errno`), `READ_CANCELLED`, `READER_CLOSED`, `READER_UNAVAILABLE`,
 * `INVALID_READ`.
 */
export type DirectIoErrorCode =
  'READ_FAILED' | 'READ_CANCELLED' | 'READER_CLOSED' | 'READER_UNAVAILABLE' | 'INVALID_READ';

export class DirectIoError extends AirllmError {
  declare readonly code: DirectIoErrorCode;

  constructor(
    code: DirectIoErrorCode,
    message: string,
    options: { fields?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, { code, ...options });
  }
}
