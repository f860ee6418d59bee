// Errors of reading a torch.save file.

import { AirllmError } from '@airllm/errors';

/**
 * - `READ_FAILED`: the file cannot be read.
 * - `NOT_A_TORCH_FILE`: neither a zip archive nor a legacy file of torch.save.
 * - `INVALID_ARCHIVE`: a zip archive that breaks the rules of its format, or of torch's use of it.
 * - `UNSUPPORTED`: well formed, but not read: compressed or encrypted entries, big-endian data, conjugated views.
 * - `REFUSED_GLOBAL`: the pickle names something outside the allow-list (field `global`).
 * - `REFUSED_OPCODE`: an opcode that torch.save does not write for tensors (field `opcode`).
 * - `TRUNCATED`: the pickle ends in the middle.
 * - `INVALID_PICKLE`: an unknown opcode, an empty stack, a value of the wrong kind.
 * - `LIMIT_EXCEEDED`: more than a named limit allows (fields `limit`, `maximum`).
 * - `INVALID_TENSOR`: shape, strides or offset that do not fit the storage.
 * - `INVALID_STORAGE`: a storage that is absent, of another size than declared, or beyond the file.
 */
export type TorchPickleErrorCode =
  | 'READ_FAILED'
  | 'NOT_A_TORCH_FILE'
  | 'INVALID_ARCHIVE'
  | 'UNSUPPORTED'
  | 'REFUSED_GLOBAL'
  | 'REFUSED_OPCODE'
  | 'TRUNCATED'
  | 'INVALID_PICKLE'
  | 'LIMIT_EXCEEDED'
  | 'INVALID_TENSOR'
  | 'INVALID_STORAGE';

/** Thrown by everything in this package. */
export class TorchPickleError extends AirllmError {
  declare readonly code: TorchPickleErrorCode;

  constructor(
    code: TorchPickleErrorCode,
    message: string,
    options: { fields?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, { code, ...options });
  }
}

const MAX_QUOTED_CHARS = 120;

/** A text from the file, escaped and cut, for a message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED_CHARS ? `${text.slice(0, MAX_QUOTED_CHARS)}…` : text);
}

/** @throws TorchPickleError `LIMIT_EXCEEDED`, always. */
export function exceeds(limit: string, maximum: number, what: string): never {
  throw new TorchPickleError(
    'LIMIT_EXCEEDED',
    `Expected at most ${maximum} ${what} but found more (${limit}).`,
    {
      fields: { limit, maximum },
    },
  );
}

// Errors of Node.js may come from another realm (workers, test runners), where `instanceof Error` fails.

/** The reason a system call gave, for the end of a message. */
export function reasonOf(cause: unknown): string {
  if (typeof cause === 'object' && cause !== null && 'message' in cause) return String(cause.message);
  return String(cause);
}
