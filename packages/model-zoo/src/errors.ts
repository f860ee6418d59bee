// Errors of the model zoo: a config that cannot be mapped to a definition, and why.

import { AirllmError } from '@airllm/errors';

/**
 * Codes: `UNSUPPORTED_ARCHITECTURE` (no family knows it), `INVALID_CONFIG` (a field has an impossible value),
 * `UNSUPPORTED_ACTIVATION`, `UNSUPPORTED_ROPE`, `UNSUPPORTED_QUANTIZATION` and `UNSUPPORTED_FIELD` (a field asks
 * for arithmetic that no definition here records).
 */
export type ModelErrorCode =
  | 'UNSUPPORTED_ARCHITECTURE'
  | 'INVALID_CONFIG'
  | 'UNSUPPORTED_ACTIVATION'
  | 'UNSUPPORTED_ROPE'
  | 'UNSUPPORTED_QUANTIZATION'
  | 'UNSUPPORTED_FIELD';

/** Thrown by {@link resolveModel}. `fields.field` names the config field where one is at fault. */
export class ModelError extends AirllmError {
  declare readonly code: ModelErrorCode;

  constructor(code: ModelErrorCode, message: string, fields: Record<string, unknown> = {}) {
    super(message, { code, fields });
  }
}
