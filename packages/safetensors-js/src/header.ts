// What a safetensors header says, after validation. Byte offsets are absolute, in the file.

import type { Dtype } from './dtype.js';

/** The file starts with the length of the header: an unsigned little-endian 64-bit integer. */
export const LENGTH_BYTES = 8;

/** Same limit as the reference implementation; larger is refused before memory is reserved. */
export const MAX_HEADER_BYTES = 100_000_000;

/** The key of a header that holds metadata instead of a tensor. */
export const METADATA_KEY = '__metadata__';

/** Where one tensor lies. Values are little-endian, in row-major order. */
export interface SafetensorsTensor {
  readonly name: string;
  readonly dtype: Dtype;
  /** Empty for a scalar. */
  readonly shape: readonly number[];
  /** Absolute offset in the file. */
  readonly byteOffset: number;
  readonly byteLength: number;
}

export interface SafetensorsHeader {
  /** By name, in the order of the data. Together they cover the data section exactly. */
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
  /** Without a prototype, so any key is safe to look up. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Absolute offset of the data section. */
  readonly dataOffset: number;
}
