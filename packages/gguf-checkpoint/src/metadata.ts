// Typed access to the metadata of a file. It knows types and ranges, not what a key means.

import { GgufError, shown } from './gguf-error.js';

/** Inclusive bounds. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/**
 * The key–value pairs of a file; without a fallback an absent key is an error.
 *
 * @example
 * const layers = metadata.integer('llama.block_count', { min: 1, max: 1024 });
 */
export class Metadata {
  constructor(private readonly values: ReadonlyMap<string, unknown>) {}

  keys(): IterableIterator<string> {
    return this.values.keys();
  }

  has(key: string): boolean {
    return this.values.has(key);
  }

  /** As the parser gave it, for values whose type may differ. */
  raw(key: string): unknown {
    return this.values.get(key);
  }

  /** A list of one value per layer counts when its values are the same. */
  integer(key: string, range: Range, fallback?: number): number {
    const value = asNumber(sole(this.values.get(key))) ?? (this.has(key) ? undefined : fallback);
    if (value !== undefined && Number.isSafeInteger(value) && inRange(value, range)) return value;
    throw this.invalid(key, `one integer within [${range.min}, ${range.max}]`);
  }

  number(key: string, range: Range, fallback?: number): number {
    const value = asNumber(this.values.get(key)) ?? (this.has(key) ? undefined : fallback);
    if (value !== undefined && inRange(value, range)) return value;
    throw this.invalid(key, `a number within [${range.min}, ${range.max}]`);
  }

  string(key: string, fallback?: string): string {
    const value = this.values.get(key) ?? fallback;
    if (typeof value === 'string') return value;
    throw this.invalid(key, 'a string');
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.values.get(key) ?? fallback;
    if (typeof value === 'boolean') return value;
    throw this.invalid(key, 'true or false');
  }

  strings(key: string): readonly string[] {
    const value = this.values.get(key);
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
    throw this.invalid(key, 'a list of strings');
  }

  /** A list of exactly `length` finite numbers. */
  numbers(key: string, length: number): readonly number[] {
    const value = this.values.get(key);
    if (Array.isArray(value) && value.length === length && value.every((item) => Number.isFinite(item))) {
      return value as number[];
    }
    throw this.invalid(key, `a list of ${length} numbers`);
  }

  invalid(key: string, expected: string): GgufError {
    const found = this.values.has(key) ? shown(brief(this.values.get(key))) : 'none';
    return new GgufError(
      'INVALID_METADATA',
      `Expected ${expected} for ${key} but found ${found}. Download or convert the file again.`,
      { fields: { key } },
    );
  }
}

/** 64-bit values come as bigint. */
function asNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'bigint' ? Number(value) : undefined;
}

function sole(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const [first, ...others] = value as unknown[];
  return others.every((other) => other === first) ? first : undefined;
}

function brief(value: unknown): unknown {
  return Array.isArray(value)
    ? `a list of ${value.length}`
    : typeof value === 'bigint'
      ? String(value)
      : value;
}

function inRange(value: number, { min, max }: Range): boolean {
  return value >= min && value <= max;
}
