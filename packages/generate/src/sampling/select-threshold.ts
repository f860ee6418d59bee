// Partial selection without sorting: the smallest score worth keeping, found by a radix search over the bits of the
// scores, largest digit first. Three passes over the data whatever the distribution.

const DIGITS = [
  { shift: 21, buckets: 2048 },
  { shift: 10, buckets: 2048 },
  { shift: 0, buckets: 1024 },
] as const;

const buckets = new Float64Array(2048);

export interface Selection {
  /** Order key (see {@link orderKey}) of the smallest score that is kept. */
  readonly thresholdKey: number;
  /** Measure of the scores strictly above it. */
  readonly measureAbove: number;
}

/**
 * Maps the bits of a float32 to an unsigned integer that sorts as the float does (−0 just below +0).
 * After M. Herf, "Radix tricks" (2001).
 */
export function orderKey(bits: number): number {
  return (bits ^ ((bits >> 31) | 0x80000000)) >>> 0;
}

/**
 * Finds the largest threshold such that the scores at or above it measure at least `target`; when all of them do not
 * reach it (rounding), the threshold lets everything through.
 *
 * @param scoreBits bits of float32 scores, at least `count` of them
 * @param target in the unit of `measures`; above 0
 * @param measures what each score counts for; 1 each when left out
 */
export function selectThreshold(
  scoreBits: Uint32Array,
  count: number,
  { target, measures }: { target: number; measures?: Float64Array },
): Selection {
  let prefix = 0;
  let prefixMask = 0;
  let measureAbove = 0;
  for (const digit of DIGITS) {
    buckets.fill(0, 0, digit.buckets);
    const bucketMask = digit.buckets - 1;
    for (let i = 0; i < count; i++) {
      const key = orderKey(scoreBits[i] ?? 0);
      if ((key & prefixMask) >>> 0 !== prefix) continue;
      const bucket = (key >>> digit.shift) & bucketMask;
      buckets[bucket] = (buckets[bucket] ?? 0) + (measures === undefined ? 1 : (measures[i] ?? 0));
    }
    let bucket = bucketMask;
    while (bucket > 0 && measureAbove + (buckets[bucket] ?? 0) < target) {
      measureAbove += buckets[bucket] ?? 0;
      bucket--;
    }
    prefix = (prefix | (bucket << digit.shift)) >>> 0;
    prefixMask = (prefixMask | (bucketMask << digit.shift)) >>> 0;
  }
  return { thresholdKey: prefix, measureAbove };
}
