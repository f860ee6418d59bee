// Reads the arguments of pickle opcodes from bytes, each inside the bytes or not at all.

import { TorchPickleError } from './torch-pickle-error.js';

/** Integers of tensors fit 8 bytes; the magic number of the legacy format has 10. */
const MAX_INTEGER_BYTES = 16;
/** Protocol 0 writes numbers and memo indices as lines; 16 bytes are 39 digits. */
const MAX_NUMBER_CHARS = 48;

export class PickleCursor {
  readonly #view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    public position = 0,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** A length of 8 bytes; beyond 2^53 it is rounded, which no file reaches. */
  u64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true));
  }

  /** Big-endian, as BINFLOAT is. */
  f64(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  /** The bytes themselves, not a copy. */
  take(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.bytes.subarray(start, start + length);
  }

  text(length: number): string {
    const bytes = this.take(length);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (cause) {
      throw new TorchPickleError(
        'INVALID_PICKLE',
        `Expected UTF-8 text at byte ${this.position - length} of the pickle.`,
        { fields: { position: this.position - length }, cause },
      );
    }
  }

  /** Up to the next line feed, which is consumed. */
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.position);
    if (end < 0) return this.#truncated();
    const text = this.text(end - this.position);
    this.position = end + 1;
    return text;
  }

  /** A line of decimal digits, with the `L` that Python 2 and LONG put at the end. */
  decimal(): number | bigint {
    const text = this.line();
    if (text.length > MAX_NUMBER_CHARS || !/^[+-]?\d+L?$/.test(text)) {
      throw new TorchPickleError(
        'INVALID_PICKLE',
        `Expected a decimal number before byte ${this.position}.`,
        {
          fields: { position: this.position },
        },
      );
    }
    return narrow(BigInt(text.replace(/^\+|L$/g, '')));
  }

  /** Two's complement, little-endian. */
  integer(length: number): number | bigint {
    if (length < 0 || length > MAX_INTEGER_BYTES) {
      throw new TorchPickleError(
        'LIMIT_EXCEEDED',
        `Expected an integer of at most ${MAX_INTEGER_BYTES} bytes but found ${length}.`,
        { fields: { limit: 'MAX_INTEGER_BYTES', maximum: MAX_INTEGER_BYTES, found: length } },
      );
    }
    const magnitude = this.take(length).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
    return narrow(BigInt.asIntN(length * 8, magnitude));
  }

  #advance(length: number): number {
    const start = this.position;
    if (length < 0 || length > this.bytes.length - start) return this.#truncated();
    this.position = start + length;
    return start;
  }

  #truncated(): never {
    throw new TorchPickleError(
      'TRUNCATED',
      `Expected the pickle to go on at byte ${this.position} but it ends after ${this.bytes.length} bytes. Fetch the file again.`,
      { fields: { position: this.position, byteLength: this.bytes.length } },
    );
  }
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
