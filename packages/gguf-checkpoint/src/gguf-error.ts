// The one error of this package.

import { AirllmError } from '@airllm/errors';

/**
 * The file: `FILE_NOT_FOUND`, `READ_FAILED`, `NOT_GGUF`, `UNSUPPORTED_VERSION`, `INVALID_HEADER` (damaged or hostile),
 * `INVALID_PARTS` (of a split file), `ABORTED`.
 * What it holds: `INVALID_METADATA`, `INVALID_TENSOR`, `INVALID_TOKENIZER` (impossible values);
 * `UNSUPPORTED_ARCHITECTURE`, `UNSUPPORTED_FIELD`, `UNSUPPORTED_TENSOR`, `UNSUPPORTED_TOKENIZER` (sound, but nothing
 * here knows how to honour it; the message names it).
 */
export type GgufErrorCode =
  | 'FILE_NOT_FOUND'
  | 'READ_FAILED'
  | 'NOT_GGUF'
  | 'UNSUPPORTED_VERSION'
  | 'INVALID_HEADER'
  | 'INVALID_PARTS'
  | 'ABORTED'
  | 'INVALID_METADATA'
  | 'INVALID_TENSOR'
  | 'INVALID_TOKENIZER'
  | 'UNSUPPORTED_ARCHITECTURE'
  | 'UNSUPPORTED_FIELD'
  | 'UNSUPPORTED_TENSOR'
  | 'UNSUPPORTED_TOKENIZER';

/** Thrown while a GGUF file is opened and when its tokenizer is asked for. */
export class GgufError extends AirllmError {
  declare readonly code: GgufErrorCode;

  constructor(
    code: GgufErrorCode,
    message: string,
    options: { fields?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, { code, ...options });
  }
}

/** A value from a file for a message: short, and on one line. */
export function shown(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
