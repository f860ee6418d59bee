// Errors of the facade.

import { AirllmError } from '@airllm/errors';

/**
 * Codes: `MISSING_TOKENIZER` (no tokenizer file that can be read yet), `INVALID_TOKENIZER` (a damaged one),
 * `NO_CHAT_TEMPLATE`, `INVALID_CHAT` (messages, or a template that refuses them), `INVALID_OPTION`,
 * `BUDGET_TOO_SMALL` (the message says the smallest that works), `MODEL_CLOSED`, `NATIVE_UNAVAILABLE`, `NOT_YET` (an option whose
 * implementation is still to come; field `option`).
 */
export type CoreErrorCode =
  | 'MISSING_TOKENIZER'
  | 'INVALID_TOKENIZER'
  | 'NO_CHAT_TEMPLATE'
  | 'INVALID_CHAT'
  | 'INVALID_OPTION'
  | 'BUDGET_TOO_SMALL'
  | 'MODEL_CLOSED'
  | 'NATIVE_UNAVAILABLE'
  | 'NOT_YET';

/** Thrown while a model is opened and while prompts are prepared. */
export class CoreError extends AirllmError {
  declare readonly code: CoreErrorCode;

  constructor(
    code: CoreErrorCode,
    message: string,
    options: { fields?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, { code, ...options });
  }
}
