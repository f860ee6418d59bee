import { splitmix64, Xoshiro128 } from './xoshiro128.js';

const take = (random: Xoshiro128, count: number): number[] =>
  Array.from({ length: count }, () => random.nextUint32());

describe('Xoshiro128', () => {
  it('gives the published sequence of xoshiro128** for the state 1, 2, 3, 4', () => {
    // The test vector of the rand_xoshiro crate, made with the authors' xoshiro128starstar.c (v1.1).
    expect(take(new Xoshiro128([1, 2, 3, 4]), 10)).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  it('jumps as the reference code does', () => {
    // xoshiro128starstar.c compiled with gcc: state 1, 2, 3, 4, jump(), then next().
    const random = new Xoshiro128([1, 2, 3, 4]);
    random.jump();
    expect(take(random, 4)).toEqual([1194304935, 745561276, 25819468, 3320478005]);
  });

  it('is seeded by splitmix64, low words first', () => {
    // splitmix64.c with seed 42 filling the state of xoshiro128starstar.c, compiled with gcc.
    expect(take(Xoshiro128.fromSeed(42), 4)).toEqual([1776835114, 4165204688, 17111135, 2317295270]);
  });

  it('gives stream i by i jumps from stream 0', () => {
    const jumped = Xoshiro128.fromSeed(7);
    jumped.jump();
    jumped.jump();
    expect(take(Xoshiro128.fromSeed(7, 2), 8)).toEqual(take(jumped, 8));
    expect(take(Xoshiro128.fromSeed(7, 1), 8)).not.toEqual(take(Xoshiro128.fromSeed(7, 2), 8));
  });

  it('makes a float of the upper 27 and 26 bits of two draws', () => {
    const bits = new Xoshiro128([1, 2, 3, 4]);
    const [first, second] = [bits.nextUint32(), bits.nextUint32()];
    const expected = (Math.floor(first / 32) * 2 ** 26 + Math.floor(second / 64)) / 2 ** 53;
    expect(new Xoshiro128([1, 2, 3, 4]).nextFloat()).toBe(expected);
  });
});

describe('splitmix64', () => {
  it('gives the published sequence for seed 1234567', () => {
    // https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64
    const next = splitmix64(1234567n);
    expect([next(), next(), next()]).toEqual([
      6457827717110365317n,
      3203168211198807973n,
      9817491932198370423n,
    ]);
  });
});
