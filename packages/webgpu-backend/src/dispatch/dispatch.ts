// One run of a kernel: its operands and its numbers. Where host weights lie on the device is not known yet; it is filled in
// when the dispatch is encoded.

import type { Tensor, WeightMemory } from '@airllm/backend';
import type { Kernel } from './kernel.js';

/** Bytes of weight memory that an op reads. */
export interface WeightRange {
  readonly memory: WeightMemory;
  readonly byteOffset: number;
  readonly byteLength: number;
}

export type Operand = GPUBuffer | WeightRange;

export interface Dispatch {
  readonly kernel: Kernel;
  /** For bindings 1, 2, …; undefined where an optional operand is absent. */
  readonly operands: readonly (Operand | undefined)[];
  /** The op's own numbers, each an unsigned or the bits of a float32. */
  readonly words: readonly number[];
  readonly list?: ArrayLike<number>;
  readonly groups: readonly [x: number, y: number];
}

export function isRange(operand: Operand | undefined): operand is WeightRange {
  return operand !== undefined && 'memory' in operand;
}

/** Words of a WGSL `Tensor`. */
export function tensorWords({ offset, rowStride, rows, cols }: Tensor): number[] {
  return [offset, rowStride, rows, cols];
}

const scratch = new DataView(new ArrayBuffer(4));

/** Bits of a float32. */
export function floatBits(value: number): number {
  scratch.setFloat32(0, value);
  return scratch.getUint32(0);
}

/** The most workgroups in one dimension that every adapter takes. */
const MAX_GROUPS = 65535;

/** `count` workgroups in two dimensions: kernels find their number by `y · (groups in x) + x`. */
export function foldGroups(count: number): readonly [x: number, y: number] {
  const y = Math.max(1, Math.ceil(count / MAX_GROUPS));
  return [Math.ceil(count / y), y];
}
