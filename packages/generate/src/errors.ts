// Errors of generation.

import { AirllmError } from '@airllm/errors';

/**
 * Codes: `INVALID_OPTION` (fields `option`, `expected`, `found`), `CONTEXT_OVERFLOW`, `ABORTED`,
 * `NON_FINITE_LOGITS` (fields `tokenId`, `value`), `BUDGET_TOO_SMALL` (for this run; field `missingBytes`).
 */
export type GenerateErrorCode =
  'INVALID_OPTION' | 'CONTEXT_OVERFLOW' | 'ABORTED' | 'NON_FINITE_LOGITS' | 'BUDGET_TOO_SMALL';

/** Thrown while options are resolved and while tokens are generated. */
export class GenerateError extends AirllmError {
  declare readonly code: GenerateErrorCode;

  constructor(
    code: GenerateErrorCode,
    message: string,
    options: { fields?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, { code, ...options });
  }
}
