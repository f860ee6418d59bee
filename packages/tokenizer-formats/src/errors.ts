// The one error of this package.

import { AirllmError } from '@airllm/errors';

/**
 * `INVALID_TOKENIZER`: the file is damaged or hostile. `UNSUPPORTED_TOKENIZER`: a sound file of a kind whose rules
 * are not known here, refused because guessed rules would give wrong ids without a word.
 */
export type TokenizerFormatErrorCode = 'INVALID_TOKENIZER' | 'UNSUPPORTED_TOKENIZER';

export class TokenizerFormatError extends AirllmError {
  declare readonly code: TokenizerFormatErrorCode;

  constructor(
    code: TokenizerFormatErrorCode,
    message: string,
    options: { fields?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, { code, ...options });
  }
}

export function invalid(message: string, cause?: unknown): TokenizerFormatError {
  return new TokenizerFormatError('INVALID_TOKENIZER', message, cause === undefined ? {} : { cause });
}
