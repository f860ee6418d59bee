// How kernels read a weight: each number format is WGSL text that decodes eight columns, and the numbers and companion
// bytes that the text needs. Kernels are made of an op's text and a format's, so neither knows the other.

import type { WeightSlice } from '@airllm/backend';
import type { WeightRange } from '../dispatch/dispatch.js';

/** Companion bytes are bound as `extra0`, `extra1`, … */
export interface WeightFormat {
  /** Fields of the WGSL struct `Weight`, after rows and cols. */
  readonly fields: string;
  /** Companions that a kernel binds; a weight may leave some out. */
  readonly extras: number;
  /**
   * `fn octet(w: Weight, row: u32, col: u32) -> Octet`: float32 values of columns col … col + 7, col a multiple of 8. What
   * stands for columns past the last is not defined.
   */
  readonly code: string;
  /** Whether rows in multiples of 16 bytes can be read by vectors. */
  readonly reads16: boolean;
  readonly describe: (weight: WeightSlice) => DescribedWeight;
}

export interface DescribedWeight {
  /** For `fields`. */
  readonly words: readonly number[];
  readonly extras: readonly (WeightRange | undefined)[];
}

/** What the text of every format may use. */
export const OCTET = `
struct Octet { a: vec4f, b: vec4f }
fn f16_bits(h: vec4u) -> vec4f {
  let magnitude = h & vec4u(0x7fffu);
  let sign = (h & vec4u(0x8000u)) << vec4u(16u);
  let normal = bitcast<vec4f>(sign | select((magnitude << vec4u(13u)) + vec4u(0x38000000u), (magnitude << vec4u(13u)) | vec4u(0x7f800000u), magnitude >= vec4u(0x7c00u)));
  let small = bitcast<vec4f>(sign | bitcast<vec4u>(vec4f(magnitude) * 5.9604644775390625e-8));
  return select(normal, small, magnitude < vec4u(0x400u));
}
fn f16_value(half: u32) -> f32 { return f16_bits(vec4u(half)).x; }
fn bytes_of(word: u32) -> vec4u { return (vec4u(word) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u); }
fn nibbles_of(half: u32) -> vec4u { return (vec4u(half) >> vec4u(0u, 4u, 8u, 12u)) & vec4u(15u); }
fn signed_bytes(word: u32) -> vec4f {
  return vec4f(bitcast<vec4i>(vec4u(word) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u));
}
`;
