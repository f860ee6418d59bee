// A seeded generator of uniform integers (mulberry32, public domain) and of normal values (Box and Muller).

/** Calls return uniform unsigned 32-bit integers; the state is 32 bits, which is enough to fill blocks, not to keep secrets. */
export function createRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** `length` values of mean 0 and standard deviation 1. */
export function normalValues(length, random) {
  const values = new Float32Array(length);
  for (let i = 0; i < length; i += 2) {
    // 1 − u lies in (0, 1], so the logarithm is finite.
    const radius = Math.sqrt(-2 * Math.log(1 - random() / 2 ** 32));
    const angle = (2 * Math.PI * random()) / 2 ** 32;
    values[i] = radius * Math.cos(angle);
    if (i + 1 < length) values[i + 1] = radius * Math.sin(angle);
  }
  return values;
}
