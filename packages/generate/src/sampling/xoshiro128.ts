// The random numbers of sampling: xoshiro128** 1.1, seeded by splitmix64. Not for cryptography.
// After D. Blackman and S. Vigna, "Scrambled linear pseudorandom number generators" (2018), and their reference
// code at https://prng.di.unimi.it.

const JUMP = [0x8764000b, 0xf542d2d3, 0x6fa035c3, 0x77f2db5b];

/** One stream of random numbers. */
export class Xoshiro128 {
  private s0: number;
  private s1: number;
  private s2: number;
  private s3: number;

  /** @param state four 32-bit words, not all zero */
  constructor(state: readonly [number, number, number, number]) {
    [this.s0, this.s1, this.s2, this.s3] = state;
  }

  /**
   * The stream number `index` of a seed. Streams lie 2^64 draws apart, so they do not overlap, and stream `index`
   * does not depend on how many others there are.
   */
  static fromSeed(seed: number, index = 0): Xoshiro128 {
    const mix = splitmix64(BigInt(seed));
    const [low, high] = [mix(), mix()];
    const word = (value: bigint, shift: bigint): number => Number((value >> shift) & 0xffffffffn);
    const random = new Xoshiro128([word(low, 0n), word(low, 32n), word(high, 0n), word(high, 32n)]);
    for (let i = 0; i < index; i++) random.jump();
    return random;
  }

  /** The next 32 random bits, as an integer in [0, 2^32). */
  nextUint32(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.s1, 5), 7), 9) >>> 0;
    const shifted = this.s1 << 9;
    this.s2 ^= this.s0;
    this.s3 ^= this.s1;
    this.s1 ^= this.s2;
    this.s0 ^= this.s3;
    this.s2 ^= shifted;
    this.s3 = rotateLeft(this.s3, 11);
    return result;
  }

  /** A number in [0, 1) with 53 random bits. */
  nextFloat(): number {
    const high = this.nextUint32() >>> 5;
    const low = this.nextUint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** Moves on by 2^64 draws. */
  jump(): void {
    let [j0, j1, j2, j3] = [0, 0, 0, 0];
    for (const word of JUMP) {
      for (let bit = 0; bit < 32; bit++) {
        if ((word >>> bit) & 1) {
          j0 ^= this.s0;
          j1 ^= this.s1;
          j2 ^= this.s2;
          j3 ^= this.s3;
        }
        this.nextUint32();
      }
    }
    [this.s0, this.s1, this.s2, this.s3] = [j0, j1, j2, j3];
  }
}

/** Vigna's splitmix64: 64-bit values from any 64-bit seed, used to fill a state. */
export function splitmix64(seed: bigint): () => bigint {
  let state = BigInt.asUintN(64, seed);
  return () => {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let mixed = state;
    mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n);
    mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn);
    return mixed ^ (mixed >> 31n);
  };
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
