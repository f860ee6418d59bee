// The number formats that weights can have when ops read them, and their sizes.

/** Number format of a weight: as stored in the checkpoint, little-endian. `f8e4m3` (OCP FP8, no infinities) comes with scales. */
export type DType = 'f32' | 'f16' | 'bf16' | 'f8e4m3';

export const DTYPES: readonly DType[] = ['f32', 'f16', 'bf16', 'f8e4m3'];

/** Bytes of `elements` weights in `dtype`. */
export function byteLengthOf(dtype: DType, elements: number): number {
  switch (dtype) {
    case 'f32':
      return elements * 4;
    case 'f16':
    case 'bf16':
      return elements * 2;
    case 'f8e4m3':
      return elements;
  }
}
