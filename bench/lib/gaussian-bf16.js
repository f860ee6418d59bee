// Weights as they come out of an initialiser: bf16 of a normal distribution, the same bytes every time.

/** `elements` values of standard deviation 0.02, little-endian. A stretch of 2^20 is repeated: codecs that look back
 *  farther than that must not be measured with it. */
export function gaussianBf16(elements, distinct = 2 ** 20) {
  const words = new Uint16Array(elements);
  const count = Math.min(elements, distinct);
  const bits = new Uint32Array(1);
  const value = new Float32Array(bits.buffer);
  let state = 1;
  // A 32-bit xorshift (Marsaglia 2003), then Box and Muller.
  const uniform = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 2 ** 32;
  };
  for (let i = 0; i < count; i++) {
    value[0] = 0.02 * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    words[i] = (bits[0] + 0x8000) >>> 16;
  }
  for (let start = count; start < elements; start += count) {
    words.copyWithin(start, 0, Math.min(count, elements - start));
  }
  return new Uint8Array(words.buffer);
}
