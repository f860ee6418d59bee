// Errors of sharding. System errors of the target become typed here, so that every writer reports them alike.

import { AirllmError } from '@airllm/errors';

/**
 * Options and input: `INVALID_OPTION`, `UNSUPPORTED_DTYPE` (nothing of the model can take the format), `SOURCE_CHANGED`
 * (an original is not what the manifest or an interrupted run was made from), `SOURCE_MISSING`, `READ_FAILED`.
 * Target: `DISK_FULL` (fields `missingBytes`, `neededBytes`, `freeBytes`), `TARGET_READ_ONLY`, `TARGET_OCCUPIED`,
 * `WRITE_FAILED`, `LOCKED`.
 * Shards: `NOT_SHARDED` (no complete shards), `INVALID_MANIFEST`, `CORRUPT_SHARD` (field `files`).
 * `ABORTED`: the signal fired; what is finished stays, and the next run goes on from there.
 */
export type ShardErrorCode =
  | 'INVALID_OPTION'
  | 'UNSUPPORTED_DTYPE'
  | 'SOURCE_CHANGED'
  | 'SOURCE_MISSING'
  | 'READ_FAILED'
  | 'DISK_FULL'
  | 'TARGET_READ_ONLY'
  | 'TARGET_OCCUPIED'
  | 'WRITE_FAILED'
  | 'LOCKED'
  | 'NOT_SHARDED'
  | 'INVALID_MANIFEST'
  | 'CORRUPT_SHARD'
  | 'ABORTED';

/** Thrown by everything in this package that fails on purpose; encoders throw `QuantizerError`. */
export class ShardError extends AirllmError {
  declare readonly code: ShardErrorCode;

  constructor(
    code: ShardErrorCode,
    message: string,
    options: { fields?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, { code, ...options });
  }
}

// Errors of Node.js may come from another realm (workers, test runners), where `instanceof Error` fails.

/** The reason a system call gave, for the end of a message. */
export function reasonOf(cause: unknown): string {
  return property(cause, 'message') ?? String(cause);
}

/** The `code` of a system error (`ENOENT` …), if it has one. */
export function systemCode(cause: unknown): string | undefined {
  return property(cause, 'code');
}

/** What a failed write means to the user. Errors that are typed already pass through. */
export function toWriteError(cause: unknown, path: string): unknown {
  if (AirllmError.isInstance(cause)) return cause;
  const fields = { path };
  switch (systemCode(cause)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new ShardError('DISK_FULL', `No space left to write ${path}.`, { fields, cause });
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return new ShardError(
        'TARGET_READ_ONLY',
        `Expected to write ${path} but it is not allowed (${systemCode(cause)}). Choose another folder for the shards.`,
        { fields, cause },
      );
    default:
      return new ShardError('WRITE_FAILED', `Could not write ${path}: ${reasonOf(cause)}.`, {
        fields,
        cause,
      });
  }
}

function property(value: unknown, key: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const found = (value as Readonly<Record<string, unknown>>)[key];
  return typeof found === 'string' ? found : undefined;
}
