// Encoded planes that came from outside: looked up and measured before they are used.

import { QuantizerError } from './errors.js';

/** The planes of a tensor by what follows its name; every length is checked. */
export class StoredPlanes {
  readonly tensor: string;
  readonly #byName: ReadonlyMap<string, Uint8Array>;

  constructor(name: string, planes: ReadonlyMap<string, Uint8Array>) {
    this.tensor = name;
    this.#byName = planes;
  }

  has(suffix: string): boolean {
    return this.#byName.has(this.tensor + suffix);
  }

  /** @throws QuantizerError `INVALID_DATA` */
  bytes(suffix: string, byteLength?: number): Uint8Array {
    const name = this.tensor + suffix;
    const bytes = this.#byName.get(name);
    if (bytes === undefined || (byteLength !== undefined && bytes.length !== byteLength)) {
      const found = bytes === undefined ? 'there is none' : `it has ${bytes.length}`;
      throw new QuantizerError(
        'INVALID_DATA',
        `Expected plane ${name}${byteLength === undefined ? '' : ` of ${byteLength} bytes`} but ${found}; make the shard again`,
        { fields: { tensor: this.tensor, plane: name, expected: byteLength, found: bytes?.length } },
      );
    }
    return bytes;
  }

  floats(suffix: string, length: number): Float32Array {
    const bytes = this.bytes(suffix, 4 * length);
    return new Float32Array(bytes.slice().buffer);
  }

  invalid(what: string): QuantizerError {
    return new QuantizerError('INVALID_DATA', `Expected ${what} in ${this.tensor}; make the shard again`, {
      fields: { tensor: this.tensor },
    });
  }
}
