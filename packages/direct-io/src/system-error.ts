// Errors of the system and of native code. Known by their fields: they may come from another realm than ours.

/** What the error says; of an unknown thing, that thing as text. */
export function messageOf(error: unknown): string {
  return isObject(error) && 'message' in error ? String(error.message) : String(error);
}

/** Its `code`, such as `EINVAL`. */
export function codeOf(error: unknown): string | undefined {
  return isObject(error) && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** A field that is a number. */
export function numberOf(error: unknown, field: 'errno' | 'fileOffset'): number | undefined {
  const value: unknown = isObject(error) ? (error as Record<string, unknown>)[field] : undefined;
  return typeof value === 'number' ? value : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
