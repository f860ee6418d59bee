// The one error of this package. It owns the codes; the messages say what was expected, what was found
// and what to do, and shorten names that come from a file.

/**
 * Stable codes. A malformed header: `HEADER_TOO_SMALL`, `HEADER_TOO_LARGE`, `INVALID_HEADER_LENGTH`,
 * `HEADER_NOT_UTF8`, `INVALID_JSON`, `DUPLICATE_NAME`, `INVALID_HEADER`, `UNKNOWN_DTYPE`, `SIZE_OVERFLOW`,
 * `PARTIAL_BYTE`, `SIZE_MISMATCH`, `INVALID_OFFSETS`, `TENSORS_OVERLAP`, `DATA_NOT_COVERED`.
 * Reading and writing: `READ_FAILED`, `WRITE_FAILED`, `INVALID_TENSOR`.
 */
export type SafetensorsErrorCode =
  | 'HEADER_TOO_SMALL'
  | 'HEADER_TOO_LARGE'
  | 'INVALID_HEADER_LENGTH'
  | 'HEADER_NOT_UTF8'
  | 'INVALID_JSON'
  | 'DUPLICATE_NAME'
  | 'INVALID_HEADER'
  | 'UNKNOWN_DTYPE'
  | 'SIZE_OVERFLOW'
  | 'PARTIAL_BYTE'
  | 'SIZE_MISMATCH'
  | 'INVALID_OFFSETS'
  | 'TENSORS_OVERLAP'
  | 'DATA_NOT_COVERED'
  | 'READ_FAILED'
  | 'WRITE_FAILED'
  | 'INVALID_TENSOR';

/** Thrown by every function of this package for bad input and failed I/O. */
export class SafetensorsError extends Error {
  readonly code: SafetensorsErrorCode;
  /** The values that matter, for programs: tensor, sizes, offsets, path. */
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(
    code: SafetensorsErrorCode,
    message: string,
    options: { fields?: Readonly<Record<string, unknown>>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SafetensorsError';
    this.code = code;
    this.fields = options.fields ?? {};
  }
}

const MAX_QUOTED_CHARS = 120;

/** A name or value from a file, quoted and short enough for a message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED_CHARS ? `${text.slice(0, MAX_QUOTED_CHARS)}…` : text);
}
