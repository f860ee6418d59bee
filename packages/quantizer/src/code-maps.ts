// The values that codes stand for, as bitsandbytes makes them.

/** NF4: quantiles of a normal distribution, zero among them (QLoRA, appendix E). Ascending. */
export const NF4_MAP = Float32Array.of(
  -1,
  -0.6961928009986877,
  -0.5250730514526367,
  -0.39491748809814453,
  -0.28444138169288635,
  -0.18477343022823334,
  -0.09105003625154495,
  0,
  0.07958029955625534,
  0.16093020141124725,
  0.24611230194568634,
  0.33791524171829224,
  0.44070982933044434,
  0.5626170039176941,
  0.7229568362236023,
  1,
);

/** The signed dynamic map of 256 entries, ascending: seven decades, 2^i values of each sign in decade i, 0 and 1. */
export const DYNAMIC_MAP = dynamicMap();

/** Code of 0 in each map. */
export const NF4_ZERO = 7;
export const DYNAMIC_ZERO = 127;

/** Halfway between neighbours, in float32; a value above `n` of them has code n. */
export function midpointsOf(map: Float32Array): Float32Array {
  return map.slice(0, -1).map((value, i) => Math.fround(value + (map[i + 1] ?? value)) / 2);
}

// Every step is rounded to float32 where torch.linspace and the tensor arithmetic after it round.
function dynamicMap(): Float32Array {
  const DECADES = 7;
  const values = [0, 1];
  for (let decade = 0; decade < DECADES; decade++) {
    const scale = Math.fround(10 ** (decade - (DECADES - 1)));
    const bounds = linspace(Math.fround(0.1), 1, 2 ** decade + 1);
    for (const mean of midpointsOf(bounds))
      values.push(Math.fround(scale * mean), -Math.fround(scale * mean));
  }
  return Float32Array.from(values).sort();
}

/** `count` values from both ends towards the middle; products and sums round once, as with fused multiply-adds. */
function linspace(first: number, last: number, count: number): Float32Array {
  const step = Math.fround(Math.fround(last - first) / (count - 1));
  const half = count >> 1;
  return Float32Array.from({ length: count }, (_, i) =>
    i < half ? first + step * i : last - step * (count - 1 - i),
  );
}
