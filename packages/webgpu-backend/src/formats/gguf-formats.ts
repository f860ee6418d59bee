// Block formats of GGUF, as gguf-py's `quants` (llama.cpp) describes them: a block holds its scales and its values, and an
// octet lies within one.

import type { WeightFormat } from './weight-format.js';

function blockFormat(octet: string): WeightFormat {
  return {
    fields: '',
    extras: 0,
    reads16: false,
    code: `fn octet(w: Weight, row: u32, col: u32) -> Octet {
  let i = row * w.cols + col;
  ${octet}
}`,
    describe: () => ({ words: [], extras: [] }),
  };
}

/** d f16, 32 × int8: d · q. */
export const q8Format = blockFormat(`
  let at = 34u * (i >> 5u);
  let d = f16_value(weight_half(at));
  let v = weight_2(at + 2u + (i & 31u));
  return Octet(d * signed_bytes(v.x), d * signed_bytes(v.y));`);

/** d f16, 16 bytes: low nibbles are values 0 … 15, high ones 16 … 31: d · (q − 8). */
export const q4Format = blockFormat(`
  let at = 18u * (i >> 5u);
  let d = f16_value(weight_half(at));
  let j = i & 31u;
  let v = weight_2(at + 2u + (j & 15u)) >> vec2u((j >> 4u) * 4u);
  let a = vec4f(bytes_of(v.x & 0x0f0f0f0fu));
  let b = vec4f(bytes_of(v.y & 0x0f0f0f0fu));
  return Octet(d * (a - vec4f(8.0)), d * (b - vec4f(8.0)));`);

/** d, dmin f16, eight 6-bit scales and minima in 12 bytes, 128 bytes of nibbles: d · scale · q − dmin · min. */
export const q4KFormat = blockFormat(`
  let at = 144u * (i >> 8u);
  let d = f16_value(weight_half(at));
  let dmin = f16_value(weight_half(at + 2u));
  let run = (i & 255u) >> 5u;
  var scale: u32;
  var least: u32;
  if (run < 4u) {
    scale = weight_byte(at + 4u + run) & 63u;
    least = weight_byte(at + 8u + run) & 63u;
  } else {
    let shared_bits = weight_byte(at + 8u + run);
    scale = (shared_bits & 15u) | ((weight_byte(at + run) >> 6u) << 4u);
    least = (shared_bits >> 4u) | ((weight_byte(at + 4u + run) >> 6u) << 4u);
  }
  let v = weight_2(at + 16u + 32u * (run >> 1u) + (i & 31u)) >> vec2u((run & 1u) * 4u);
  let factor = d * f32(scale);
  let offset = vec4f(dmin * f32(least));
  return Octet(factor * vec4f(bytes_of(v.x & 0x0f0f0f0fu)) - offset, factor * vec4f(bytes_of(v.y & 0x0f0f0f0fu)) - offset);`);

/** 128 bytes of low nibbles, 64 of high pairs of bits, 16 × int8 scales, d f16: d · scale[i / 16] · (q − 32). */
export const q6KFormat = blockFormat(`
  let at = 210u * (i >> 8u);
  let index = i & 255u;
  let half_block = index >> 7u;
  let j = (index >> 5u) & 3u;
  let within = index & 31u;
  let d = f16_value(weight_half(at + 208u));
  let scale = f32(bitcast<i32>(weight_byte(at + 192u + (index >> 4u)) << 24u) >> 24u);
  let low = (weight_2(at + 64u * half_block + 32u * (j & 1u) + within) >> vec2u((j >> 1u) * 4u)) & vec2u(0x0f0f0f0fu);
  let high = (weight_2(at + 128u + 32u * half_block + within) >> vec2u(2u * j)) & vec2u(0x03030303u);
  let q = low | (high << vec2u(4u));
  let factor = d * scale;
  return Octet(factor * (vec4f(bytes_of(q.x)) - vec4f(32.0)), factor * (vec4f(bytes_of(q.y)) - vec4f(32.0)));`);
