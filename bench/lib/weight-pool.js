// Weights of a given shape in any format, as many as memory bandwidth asks for, with contents that compute at full speed: no
// value is subnormal, infinite or none.

import { byteLengthOf } from '@airllm/backend';

/** A multiple of every block that holds factors (34, 18, 144 and 210 bytes) and of 24 bytes of bit planes. */
const PERIOD = 12 * 85_680;
const LOSSLESS_ESCAPES = 0.02;

/** Bytes that repeat after about a megabyte. */
function fill(bytes, byteOf) {
  const pattern = Uint8Array.from({ length: Math.min(PERIOD, bytes.length) }, (_, i) => byteOf(i));
  for (let at = 0; at < bytes.length; at += pattern.length) {
    bytes.set(pattern.subarray(0, Math.min(pattern.length, bytes.length - at)), at);
  }
}

const noise = (i) => (Math.imul(i + 1, 0x9e3779b1) >>> 13) & 255;

/** float32 `value` everywhere. */
function floats(value) {
  const bytes = new Uint8Array(Float32Array.of(value).buffer);
  return (i) => bytes[i & 3];
}

/** The map of bitsandbytes' 8-bit dynamic quantization (create_dynamic_map). */
function dynamicMap() {
  const values = [0, 1];
  for (let group = 0; group < 7; group++) {
    const count = 1 << group;
    for (let j = 0; j < count; j++) {
      const value = 10 ** (group - 6) * (0.1 + (0.9 * (j + 0.5)) / count);
      values.push(value, -value);
    }
  }
  return Float32Array.from(values).sort();
}

/** Bits of 3-bit codes: 0 … 6, and 7 for an escape every 50 columns. */
function planeByte(i) {
  const plane = (i % 24) >> 3;
  let byte = 0;
  for (let j = 0; j < 8; j++) {
    const code =
      noise(i - plane * 8 + 131 * j) / 256 < LOSSLESS_ESCAPES ? 7 : noise(i - plane * 8 + 17 * j) % 6;
    byte |= ((code >> plane) & 1) << j;
  }
  return byte;
}

/**
 * A matrix [rows, cols] in `dtype` with all that stands beside it.
 *
 * @returns { slice, bytes }: what an op takes, and how many bytes it reads.
 */
export function createWeight(backend, dtype, [rows, cols]) {
  const elements = rows * cols;
  let bytes = 0;
  const span = (byteLength, byteOf) => {
    const memory = backend.allocateWeights(byteLength);
    fill(memory.bytes, byteOf);
    bytes += byteLength;
    return { memory, byteOffset: 0 };
  };
  const own = span(byteLengthOf(dtype, elements), ownByte(dtype));
  const packing = packingOf(dtype, [rows, cols], span);
  return { slice: { ...own, dtype, rows, cols, ...(packing && { packing }) }, bytes };
}

/** float16 and bfloat16 between 2⁻⁸ and 2; factors of GGUF blocks about 2⁻⁶. */
function ownByte(dtype) {
  const halvesAt = { q8_0: [34, 0], q4_0: [18, 0], q4_k: [144, 0, 2], q6_k: [210, 208] }[dtype];
  if (dtype === 'bf16') return (i) => (i % 2 === 0 ? noise(i) : 0x3c + (noise(i) & 3) + (noise(i) & 128));
  if (!halvesAt) return noise;
  const [size, ...places] = halvesAt;
  return (i) => (places.some((place) => i % size === place + 1) ? 0x24 : noise(i));
}

function packingOf(kind, [rows, cols], span) {
  const elements = rows * cols;
  const factor = floats(0.01);
  switch (kind) {
    case 'mxfp4':
      return { kind, scales: span(elements / 32, () => 120) };
    case 'code4':
    case 'code8': {
      const blockLength = kind === 'code4' ? 64 : 2048;
      const map = kind === 'code4' ? Float32Array.from({ length: 16 }, (_, i) => i / 8 - 1) : dynamicMap();
      const codes = new Uint8Array(map.buffer);
      return {
        kind,
        codes: span(codes.length, (i) => codes[i]),
        blockLength,
        first: 0,
        absmax: span((4 * elements) / blockLength, factor),
        nested: undefined,
      };
    }
    case 'int8':
    case 'int4':
      return { kind, groupCols: 128, scales: span(4 * rows * Math.ceil(cols / 128), factor) };
    case 'bf16z': {
      const escapeBytes = 1 + Math.ceil(cols * 2 * LOSSLESS_ESCAPES);
      return {
        kind,
        codes: span(24 * rows * Math.ceil(cols / 64), planeByte),
        escapes: span(rows * escapeBytes, () => 125),
        escapeBytes,
      };
    }
    case 'gptq4':
    case 'awq4': {
      const groups = Math.ceil(rows / 128);
      return {
        kind,
        scales: span(2 * groups * cols, (i) => (i % 2 === 0 ? 0 : 0x24)),
        scaleDType: 'f16',
        zeros: span((groups * cols) / 2, noise),
        groupRows: 128,
      };
    }
    default:
      return undefined;
  }
}
