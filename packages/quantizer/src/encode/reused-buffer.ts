// Output memory that is kept from one chunk to the next.

/** Grows to the largest chunk seen and stays. */
export class ReusedBuffer {
  #bytes = new Uint8Array(0);

  /** `length` bytes, whatever they held before. Valid until the next call. */
  take(length: number): Uint8Array {
    if (this.#bytes.length < length) this.#bytes = new Uint8Array(length);
    return this.#bytes.subarray(0, length);
  }

  /** `length` float32 values in the same memory. */
  takeFloats(length: number): Float32Array {
    return new Float32Array(this.take(4 * length).buffer, 0, length);
  }
}

/** The memory of an array as bytes. */
export function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
