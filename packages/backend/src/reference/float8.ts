// OCP FP8 e4m3 (OFP8 specification 1.0, 2023) to number: no infinities, one NaN per sign.

/** 1 sign bit, 4 exponent bits (bias 7), 3 fraction bits. */
export function float8ToNumber(bits: number): number {
  const sign = bits & 0x80 ? -1 : 1;
  const exponent = (bits >> 3) & 0xf;
  const fraction = bits & 7;
  if (exponent === 0) return sign * fraction * 2 ** -9;
  if (exponent === 0xf && fraction === 7) return NaN;
  return sign * (8 + fraction) * 2 ** (exponent - 10);
}

let table: Float32Array | undefined;

/** The value of each of the 256 bit patterns; made on first use. */
export function float8Table(): Float32Array {
  table ??= Float32Array.from({ length: 0x100 }, (_, bits) => float8ToNumber(bits));
  return table;
}
