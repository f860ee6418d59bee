// Turns what the addon throws into errors of the compute contract.

import { BackendError, type BackendErrorCode } from '@airllm/backend';

const CODES: readonly string[] = [
  'INVALID_OPERAND',
  'OUT_OF_MEMORY',
  'OUT_OF_DEVICE_MEMORY',
  'DEVICE_LOST',
  'BACKEND_UNAVAILABLE',
  'BACKEND_CLOSED',
] satisfies BackendErrorCode[];

/** The same failure as a {@link BackendError} when it carries one of its codes; anything else unchanged. */
export function toBackendError(cause: unknown): unknown {
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return cause;
  const { code } = cause;
  if (!isBackendErrorCode(code)) return cause;
  const message = 'message' in cause ? String(cause.message) : code;
  return new BackendError(code, message, { cause });
}

/** Calls into the addon. */
export function callNative<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw toBackendError(error);
  }
}

function isBackendErrorCode(code: unknown): code is BackendErrorCode {
  return typeof code === 'string' && CODES.includes(code);
}
