// Reads one field of a config at a time and refuses impossible values. It knows types and ranges, not what
// a field means.

import { ModelError } from '../errors.js';
import { describeValue } from './describe-value.js';

/** Inclusive bounds of a number. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/**
 * Typed access to the fields of config.json or of an object in it. `null` counts as absent unless a method says
 * otherwise; without a fallback an absent field is an error.
 *
 * @example
 * const config = new ConfigReader(JSON.parse(text));
 * const layers = config.integer('num_hidden_layers', LIMITS.layers);
 */
export class ConfigReader {
  constructor(
    readonly fields: Readonly<Record<string, unknown>>,
    /** Where the object lies in config.json: empty, or `rope_scaling.` */
    readonly path = '',
  ) {}

  /** True when the field is written and not null. */
  has(name: string): boolean {
    return this.#value(name) !== undefined;
  }

  /** True when the field is written as null, which some families tell from absent. */
  isNull(name: string): boolean {
    return Object.hasOwn(this.fields, name) && this.fields[name] === null;
  }

  integer(name: string, range: Range, fallback?: number): number {
    const value = this.#value(name) ?? fallback;
    if (Number.isSafeInteger(value) && inRange(value as number, range)) return value as number;
    throw this.invalid(name, `an integer within [${range.min}, ${range.max}]`);
  }

  number(name: string, range: Range, fallback?: number): number {
    const value = this.#value(name) ?? fallback;
    if (typeof value === 'number' && inRange(value, range)) return value;
    throw this.invalid(name, `a number within [${range.min}, ${range.max}]`);
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.#value(name) ?? fallback;
    if (typeof value === 'boolean') return value;
    throw this.invalid(name, 'true or false');
  }

  string(name: string, fallback: string): string {
    const value = this.#value(name) ?? fallback;
    if (typeof value === 'string') return value;
    throw this.invalid(name, 'a string');
  }

  /** A list of exactly `length` numbers. */
  numbers(name: string, length: number, range: Range): number[] {
    const value = this.#value(name);
    const isNumber = (item: unknown): item is number => typeof item === 'number' && inRange(item, range);
    if (Array.isArray(value) && value.length === length && value.every(isNumber)) return value;
    throw this.invalid(name, `a list of ${length} numbers within [${range.min}, ${range.max}]`);
  }

  /** An object inside this one, or undefined when it is absent. */
  section(name: string): ConfigReader | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (isRecord(value)) return new ConfigReader(value, `${this.path}${name}.`);
    throw this.invalid(name, 'an object');
  }

  /** The error for a field that is not what it must be. */
  invalid(name: string, expected: string): ModelError {
    const field = `${this.path}${name}`;
    const found = describeValue(Object.hasOwn(this.fields, name) ? this.fields[name] : undefined);
    return new ModelError(
      'INVALID_CONFIG',
      `Expected ${expected} for config field ${field} but found ${found}. Compare config.json with the original model's`,
      { field, expected, found },
    );
  }

  #value(name: string): unknown {
    return Object.hasOwn(this.fields, name) ? (this.fields[name] ?? undefined) : undefined;
  }
}

/** True for an object that is not an array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function inRange(value: number, range: Range): boolean {
  return value >= range.min && value <= range.max;
}
