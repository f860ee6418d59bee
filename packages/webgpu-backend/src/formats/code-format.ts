// Codes of bitsandbytes, `code4` and `code8`: a code book, and a factor for each block of elements, which may be
// quantized itself.

import type { CodePacking, WeightSlice } from '@airllm/backend';
import { floatBits, type WeightRange } from '../dispatch/dispatch.js';
import type { WeightFormat } from './weight-format.js';

/** Element i of the slice is extra0[q] · factor((first + i) / block_length); extra2 and extra3 are of quantized factors. */
function codeFormat(codesOf: string): WeightFormat {
  return {
    fields:
      'block_length: u32, first: u32, nested: u32, nested_length: u32, nested_first: u32, nested_offset: f32, zero: u32',
    extras: 4,
    reads16: false,
    code: `
${codesOf}
fn factor(w: Weight, i: u32) -> f32 {
  if (w.nested == 0u) { return extra1_f32(4u * i); }
  let product = extra2_f32(4u * extra1_byte(i)) * extra3_f32(4u * ((w.nested_first + i) / w.nested_length));
  // The bits pass through an operation on integers, so that product and sum are not fused: both are rounded.
  return bitcast<f32>(bitcast<u32>(product) ^ w.zero) + w.nested_offset;
}
fn code_values(q: vec4u) -> vec4f {
  return vec4f(extra0_f32(4u * q.x), extra0_f32(4u * q.y), extra0_f32(4u * q.z), extra0_f32(4u * q.w));
}
fn octet(w: Weight, row: u32, col: u32) -> Octet {
  let i = row * w.cols + col;
  let block = (w.first + i) / w.block_length;
  var a = vec4f(factor(w, block));
  var b = a;
  if ((w.first + i + 7u) / w.block_length != block) {
    for (var j = 1u; j < 8u; j++) {
      let value = factor(w, (w.first + i + j) / w.block_length);
      if (j < 4u) { a[j] = value; } else { b[j - 4u] = value; }
    }
  }
  let codes = codes_of(i);
  return Octet(code_values(codes[0]) * a, code_values(codes[1]) * b);
}`,
    describe,
  };
}

/** A row may begin within a byte: the high nibble comes first. */
export const code4Format = codeFormat(`
fn codes_of(i: u32) -> array<vec4u, 2> {
  let v = weight_2(i >> 1u);
  // Nibbles in order, from the highest bits on.
  var low = ((v.x & 0x0f0f0f0fu) << 4u) | ((v.x >> 4u) & 0x0f0f0f0fu);
  if ((i & 1u) == 1u) { low = (low >> 4u) | ((v.y & 0xf0u) << 24u); }
  return array<vec4u, 2>(nibbles_of(low), nibbles_of(low >> 16u));
}`);

export const code8Format = codeFormat(`
fn codes_of(i: u32) -> array<vec4u, 2> {
  let v = weight_2(i);
  return array<vec4u, 2>(bytes_of(v.x), bytes_of(v.y));
}`);

function describe({ packing, rows, cols }: WeightSlice): ReturnType<WeightFormat['describe']> {
  const { kind, codes, blockLength, first, absmax, nested } = packing as CodePacking;
  const factors = Math.ceil((first + rows * cols) / blockLength);
  const floats = (
    span: { memory: WeightRange['memory']; byteOffset: number },
    count: number,
  ): WeightRange => ({
    ...span,
    byteLength: 4 * count,
  });
  const book = floats(codes, kind === 'code4' ? 16 : 256);
  const words = [blockLength, first];
  if (!nested)
    return {
      words: [...words, 0, 1, 0, 0, 0],
      extras: [book, floats(absmax, factors), undefined, undefined],
    };
  const outer = Math.ceil((nested.first + factors) / nested.blockLength);
  return {
    words: [...words, 1, nested.blockLength, nested.first, floatBits(nested.offset), 0],
    extras: [
      book,
      { ...absmax, byteLength: factors },
      floats(nested.codes, 256),
      floats(nested.absmax, outer),
    ],
  };
}
