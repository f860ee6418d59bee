// Elements from one arrangement in memory to another. Nothing else here loops over elements.

/** Memory that begins at its own buffer's start, the index of its first element, and strides in elements. */
export interface Strided {
  readonly bytes: Uint8Array;
  readonly index: number;
  readonly strides: readonly number[];
}

export interface Elements {
  readonly lengths: readonly number[];
  /** 1, 2, 4 or 8. */
  readonly elementBytes: number;
}

type Words = Uint8Array | Uint16Array | Uint32Array;

/** Copies the elements of a box. `from` and `to` are as large as index, lengths and strides ask. */
export function copyStrided(from: Strided, to: Strided, { lengths, elementBytes }: Elements): void {
  // Whole words, since an assignment an element is many times faster than a slice; never floats, which may
  // change the bits of a NaN.
  const source = toWords(from.bytes, elementBytes);
  const target = toWords(to.bytes, elementBytes);
  const words = Math.ceil(elementBytes / 4);

  const copy = (d: number, sourceIndex: number, targetIndex: number): void => {
    const length = lengths[d] ?? 1;
    const sourceStride = from.strides[d] ?? 0;
    const targetStride = to.strides[d] ?? 0;
    for (let i = 0; i < length; i++) {
      const sourceAt = sourceIndex + i * sourceStride;
      const targetAt = targetIndex + i * targetStride;
      if (d + 1 < lengths.length) copy(d + 1, sourceAt, targetAt);
      else for (let w = 0; w < words; w++) target[targetAt * words + w] = source[sourceAt * words + w] ?? 0;
    }
  };
  copy(0, from.index, to.index);
}

/** Strides of a contiguous tensor. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  return shape.map((_, d) => shape.slice(d + 1).reduce((a, b) => a * b, 1));
}

function toWords({ buffer, byteLength }: Uint8Array, elementBytes: number): Words {
  if (elementBytes === 1) return new Uint8Array(buffer, 0, byteLength);
  if (elementBytes === 2) return new Uint16Array(buffer, 0, byteLength / 2);
  return new Uint32Array(buffer, 0, byteLength / 4);
}
