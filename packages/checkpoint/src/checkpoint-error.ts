// Errors of opening a checkpoint.

import { AirllmError } from '@airllm/errors';

/**
 * Local: `INVALID_ID`, `FOLDER_NOT_FOUND`, `READ_FAILED`, `INVALID_FILE_NAME`, `FILE_TOO_LARGE`, `CONFIG_MISSING`,
 * `INVALID_JSON`, `INVALID_INDEX`, `NO_WEIGHTS`, `AMBIGUOUS_WEIGHTS`, `SHARD_MISSING`, `INVALID_SHARD`,
 * `TENSOR_MISSING`, `DUPLICATE_TENSOR`, `NOT_YET`, `ABORTED`.
 * Hub: `INVALID_OPTION`, `ACCESS_DENIED`, `REPO_NOT_FOUND`, `HUB_UNREACHABLE`, `HUB_FAILED`, `OFFLINE`, `DISK_FULL`,
 * `CORRUPT_DOWNLOAD`, `CACHE_FAILED`.
 */
export type CheckpointErrorCode =
  | 'INVALID_ID'
  | 'FOLDER_NOT_FOUND'
  | 'READ_FAILED'
  | 'INVALID_FILE_NAME'
  | 'FILE_TOO_LARGE'
  | 'CONFIG_MISSING'
  | 'INVALID_JSON'
  | 'INVALID_INDEX'
  | 'NO_WEIGHTS'
  | 'AMBIGUOUS_WEIGHTS'
  | 'SHARD_MISSING'
  | 'INVALID_SHARD'
  | 'TENSOR_MISSING'
  | 'DUPLICATE_TENSOR'
  | 'NOT_YET'
  | 'ABORTED'
  | 'INVALID_OPTION'
  | 'ACCESS_DENIED'
  | 'REPO_NOT_FOUND'
  | 'HUB_UNREACHABLE'
  | 'HUB_FAILED'
  | 'OFFLINE'
  | 'DISK_FULL'
  | 'CORRUPT_DOWNLOAD'
  | 'CACHE_FAILED';

/** Thrown by `openCheckpoint` and by the files of a `Checkpoint`. */
export class CheckpointError extends AirllmError {
  declare readonly code: CheckpointErrorCode;

  constructor(
    code: CheckpointErrorCode,
    message: string,
    options: { fields?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, { code, ...options });
  }
}

// Errors of Node.js may come from another realm (workers, test runners), where `instanceof Error` fails.

/** The reason a system call or a parser gave, for the end of a message. */
export function reasonOf(cause: unknown): string {
  return property(cause, 'message') ?? String(cause);
}

/** The `code` of a system error (`ENOENT` …), if it has one. */
export function systemCode(cause: unknown): string | undefined {
  return property(cause, 'code');
}

function property(value: unknown, key: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const found = (value as Readonly<Record<string, unknown>>)[key];
  return typeof found === 'string' ? found : undefined;
}
