// The one error base of the airllm packages. It owns recognition (across duplicate copies of this
// package) and the fields every error carries; each package defines its own codes beside its code.

const MARKER = Symbol.for('airllm.error');

export interface AirllmErrorOptions {
  /** Stable, machine-readable, `UPPER_SNAKE_CASE`. Messages may change between versions, codes may not. */
  code: string;
  /** The values that matter, for programs: paths, sizes, names. */
  fields?: Readonly<Record<string, unknown>>;
  cause?: unknown;
}

/**
 * Base of every error thrown on purpose by an airllm package.
 *
 * The message says what was expected, what was found and what to do next.
 *
 * @example
 * try { await model.generate(prompt); }
 * catch (error) { if (AirllmError.isInstance(error) && error.code === 'CONTEXT_OVERFLOW') shorten(); }
 */
export class AirllmError extends Error {
  readonly code: string;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(message: string, options: AirllmErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.fields = options.fields ?? {};
    Object.defineProperty(this, MARKER, { value: true });
  }

  /** True for an `AirllmError` of any copy of this package, unlike `instanceof`. */
  static isInstance(error: unknown): error is AirllmError {
    return typeof error === 'object' && error !== null && MARKER in error;
  }
}
