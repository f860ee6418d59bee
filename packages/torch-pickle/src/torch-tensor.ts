// A tensor of a file: what it is and where it lies. No values.

/** A tensor of a torch.save file. */
export interface TorchTensor {
  /** Keys that lead to it, joined by dots. Empty for a file that is one bare tensor. */
  readonly name: string;
  /** As safetensors names it: `BF16`, `F16`, `F32`, `F8_E4M3` … */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Elements between neighbours of each dimension. */
  readonly strides: readonly number[];
  /** True when the elements stand one after the other in row-major order: the bytes can be used in place. */
  readonly isContiguous: boolean;
  /** Absolute offset of the first element in the file. */
  readonly byteOffset: number;
  /** Bytes of its elements in row-major order, little-endian. */
  readonly byteLength: number;
  /** The storage it is a view of; several tensors may share one. */
  readonly storage: { readonly byteOffset: number; readonly byteLength: number };
}
