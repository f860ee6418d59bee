import { freemem } from 'node:os';
import { availableMemory, resolveHostBytes } from './host-memory.js';

describe('resolveHostBytes', () => {
  it.each<[string | number | undefined, number]>([
    [undefined, 800],
    ['auto', 800],
    ['50%', 500],
    ['12.5 %', 125],
    ['2KB', 2000],
    [4096, 4096],
  ])('makes %p of 1000 available bytes %i', (host, expected) => {
    expect(resolveHostBytes(host, 1000)).toBe(expected);
  });

  it.each(['0%', '101%', '%', 'all', '-5%'])('refuses %p', (host) => {
    expect(() => resolveHostBytes(host, 1000)).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        fields: expect.objectContaining({ option: 'memory.host' }),
      }),
    );
  });
});

describe('availableMemory', () => {
  it('is some of what the machine has free', () => {
    expect(availableMemory()).toBeGreaterThan(0);
    // Free memory moves between the two readings: a quarter more is far beyond that.
    expect(availableMemory()).toBeLessThan(freemem() * 1.25);
  });
});
