// A weight as an operand of a kernel: the text that reads it, the buffers it binds, and its numbers.

import { byteLengthOf, type DType, type WeightSlice } from '@airllm/backend';
import type { Operand } from '../dispatch/dispatch.js';
import type { KernelBuffer } from '../dispatch/kernel.js';
import type { OpContext } from '../dispatch/op-context.js';
import { PinnedWeightMemory } from '../memory/weight-memory.js';
import { FORMATS } from './format-of.js';
import { countEscapes } from './lossless-format.js';
import { OCTET } from './weight-format.js';

export interface WeightOperand {
  /** Part of a kernel's name: kernels of the same variant read weights the same way. */
  readonly variant: string;
  readonly text: WeightText;
  readonly operands: readonly (Operand | undefined)[];
  /** Of the WGSL struct `Weight`. */
  readonly words: readonly number[];
}

export interface WeightText {
  /** Declares `Weight`, `Octet` and `octet`. */
  readonly code: string;
  readonly buffers: readonly KernelBuffer[];
}

const STARTS: KernelBuffer = { name: 'starts', access: 'read', type: 'words' };

/** For kernels whose params have `weight: Weight`. May emit what has to run before. */
export function weightOperand(weight: WeightSlice, context: OpContext): WeightOperand {
  const { memory, byteOffset, dtype, rows, cols } = weight;
  const format = FORMATS[dtype];
  const { words, extras } = format.describe(weight);
  const range = { memory, byteOffset, byteLength: byteLengthOf(dtype, rows * cols) };
  // Host weights are placed by 16 bytes, pinned ones lie where they lay.
  const start = memory instanceof PinnedWeightMemory ? byteOffset : 0;
  const wide = format.reads16 && start % 16 === 0 && byteLengthOf(dtype, cols) % 16 === 0;
  return {
    variant: wide ? `${dtype}-wide` : dtype,
    text: weightText(dtype, wide),
    operands: [range, ...extras, ...(dtype === 'bf16z' ? [countEscapes(weight, context)] : [])],
    words: [rows, cols, ...words],
  };
}

function weightText(dtype: DType, wide: boolean): WeightText {
  const { fields, extras, code } = FORMATS[dtype];
  const buffers: KernelBuffer[] = [
    { name: 'weight', access: 'read', type: wide ? 'wide' : 'span' },
    ...Array.from({ length: extras }, (_, i): KernelBuffer => ({
      name: `extra${i}`,
      access: 'read',
      type: 'span',
    })),
    ...(dtype === 'bf16z' ? [STARTS] : []),
  ];
  return { code: `struct Weight { rows: u32, cols: u32, ${fields} }\n${OCTET}\n${code}`, buffers };
}
