// Errors of encoding and decoding.

import { AirllmError } from '@airllm/errors';

/**
 * - `UNSUPPORTED_DTYPE`: the format does not take this source dtype (`fields`: tensor, dtype, format).
 * - `UNSUPPORTED_SHAPE`: no shape, or not one the format can hold (`fields`: tensor, shape, format).
 * - `INVALID_OPTION`: an option outside what it may be (`fields`: option, value).
 * - `INVALID_CHUNK`: a chunk of another length than the encoder asks for (`fields`: tensor, expected, found).
 * - `INVALID_STATE`: calls in another order than survey, encode, finish (`fields`: tensor).
 * - `NON_FINITE`: NaN or Inf in the source (`fields`: tensor, element, value).
 * - `SOURCE_CHANGED`: the survey saw other values than the encoding does (`fields`: tensor).
 * - `INVALID_DATA`: encoded bytes that do not fit together (`fields`: what does not).
 */
export type QuantizerErrorCode =
  | 'UNSUPPORTED_DTYPE'
  | 'UNSUPPORTED_SHAPE'
  | 'INVALID_OPTION'
  | 'INVALID_CHUNK'
  | 'INVALID_STATE'
  | 'NON_FINITE'
  | 'SOURCE_CHANGED'
  | 'INVALID_DATA';

/** Thrown by everything in this package that fails on purpose. */
export class QuantizerError extends AirllmError {
  declare readonly code: QuantizerErrorCode;

  constructor(
    code: QuantizerErrorCode,
    message: string,
    options: { fields?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, { code, ...options });
  }
}
