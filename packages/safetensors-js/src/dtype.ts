// The element types of the format and their widths. Source: `Dtype` of the reference implementation
// (huggingface/safetensors, version 0.8). Decoding values is left to the caller.

/** Bits per element. Elements narrower than a byte are packed without gaps. */
export const DTYPE_BITS = Object.freeze({
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
});

export type Dtype = keyof typeof DTYPE_BITS;

/** True for a dtype the format defines; inherited property names are not. */
export function isDtype(name: string): name is Dtype {
  return Object.hasOwn(DTYPE_BITS, name);
}
