// JSON as the format needs it: a duplicate key is an error, objects are maps (so no key is special),
// and an integer is told from `1.0`. `JSON.parse` hides all three. Written for text from strangers:
// one pass, linear time, bounded depth.

import { quote, SafetensorsError } from './safetensors-error.js';

/** Integers beyond 2^53 come as bigint; numbers with a fraction or an exponent as `JsonDecimal`. */
export type StrictJson =
  | null
  | boolean
  | number
  | bigint
  | string
  | JsonDecimal
  | readonly StrictJson[]
  | ReadonlyMap<string, StrictJson>;

/** A number that is not written as an integer. */
export class JsonDecimal {
  constructor(readonly literal: string) {}
}

/** As the reference implementation's parser; deeper input would only serve to exhaust the stack. */
const MAX_DEPTH = 128;

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const LONE_SURROGATE = /\p{Surrogate}/u;
const LITERALS = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;

/**
 * Parses a JSON text (RFC 8259), refusing duplicate keys after unescaping (`"a"` and `"\u0061"` are one).
 *
 * @example
 * parseStrictJson('{"a":1}'); // Map { 'a' => 1 }
 * parseStrictJson('{"a":1,"a":2}'); // throws DUPLICATE_NAME
 *
 * @throws SafetensorsError `INVALID_JSON`, `DUPLICATE_NAME`.
 */
export function parseStrictJson(text: string): StrictJson {
  const scanner = new Scanner(text);
  const value = scanner.value(0);
  scanner.end();
  return value;
}

class Scanner {
  private position = 0;

  constructor(private readonly text: string) {}

  value(depth: number): StrictJson {
    if (depth > MAX_DEPTH) this.fail(`at most ${MAX_DEPTH} nested values`);
    this.skipWhitespace();
    switch (this.text[this.position]) {
      case '{':
        return this.object(depth);
      case '[':
        return this.array(depth);
      case '"':
        return this.string();
      default:
        return this.literal();
    }
  }

  end(): void {
    this.skipWhitespace();
    if (this.position < this.text.length) this.fail('the end of the text');
  }

  private object(depth: number): ReadonlyMap<string, StrictJson> {
    const entries = new Map<string, StrictJson>();
    this.position++;
    if (this.accept('}')) return entries;
    do {
      this.skipWhitespace();
      if (this.text[this.position] !== '"') this.fail('a key');
      const key = this.string();
      if (entries.has(key)) {
        throw new SafetensorsError(
          'DUPLICATE_NAME',
          `Expected each name once but found ${quote(key)} twice.`,
          {
            fields: { name: key },
          },
        );
      }
      this.expect(':');
      entries.set(key, this.value(depth + 1));
    } while (this.accept(','));
    this.expect('}');
    return entries;
  }

  private array(depth: number): readonly StrictJson[] {
    const items: StrictJson[] = [];
    this.position++;
    if (this.accept(']')) return items;
    do items.push(this.value(depth + 1));
    while (this.accept(','));
    this.expect(']');
    return items;
  }

  private string(): string {
    const start = this.position;
    let plain = true;
    for (let at = start + 1; at < this.text.length; at++) {
      const unit = this.text.charCodeAt(at);
      if (unit === 0x22) {
        this.position = at + 1;
        return plain ? this.text.slice(start + 1, at) : this.unescape(start, at + 1);
      }
      if (unit < 0x20) break;
      if (unit === 0x5c) {
        plain = false;
        at++;
      }
    }
    return this.fail('a closed string without control characters');
  }

  private unescape(start: number, end: number): string {
    let value: string;
    try {
      value = JSON.parse(this.text.slice(start, end)) as string;
    } catch {
      this.position = start;
      return this.fail('a valid escape');
    }
    // A lone surrogate has no UTF-8 form; the reference implementation refuses it too.
    if (LONE_SURROGATE.test(value)) return this.fail('paired surrogates');
    return value;
  }

  private literal(): StrictJson {
    for (const [word, value] of LITERALS) {
      if (this.text.startsWith(word, this.position)) {
        this.position += word.length;
        return value;
      }
    }
    NUMBER.lastIndex = this.position;
    const match = NUMBER.exec(this.text);
    if (match === null) return this.fail('a value');
    this.position = NUMBER.lastIndex;
    const [literal, fraction, exponent] = match;
    if (fraction !== undefined || exponent !== undefined || literal === '-0') return new JsonDecimal(literal);
    const integer = Number(literal);
    if (Number.isSafeInteger(integer)) return integer;
    // BigInt() of a long text takes quadratic time; nothing this long is a size.
    return literal.length > 40 ? new JsonDecimal(literal) : BigInt(literal);
  }

  private skipWhitespace(): void {
    for (;;) {
      const unit = this.text.charCodeAt(this.position);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
      this.position++;
    }
  }

  private accept(mark: string): boolean {
    this.skipWhitespace();
    if (this.text[this.position] !== mark) return false;
    this.position++;
    return true;
  }

  private expect(mark: string): void {
    if (!this.accept(mark)) this.fail(`'${mark}'`);
  }

  private fail(expected: string): never {
    const found =
      this.position < this.text.length
        ? quote(this.text.slice(this.position, this.position + 20))
        : 'the end';
    throw new SafetensorsError(
      'INVALID_JSON',
      `Expected ${expected} at character ${this.position} but found ${found}.`,
      { fields: { position: this.position } },
    );
  }
}
