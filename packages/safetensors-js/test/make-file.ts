// Files for tests, put together by hand so that they do not depend on the code under test.

import { Buffer } from 'node:buffer';
import type { ByteReader } from '../src/byte-reader.js';

/** Length field, header text, data. */
export function makeFile(header: string | Uint8Array, data: Uint8Array | number = 0): Uint8Array {
  const json = typeof header === 'string' ? Buffer.from(header, 'utf8') : header;
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, typeof data === 'number' ? Buffer.alloc(data) : data]);
}

/** A reader over bytes that remembers how much was asked for, and refuses what no file could give. */
export class RecordingReader implements ByteReader {
  readonly requested: number[] = [];
  readonly size: number;

  constructor(private readonly bytes: Uint8Array) {
    this.size = bytes.length;
  }

  read(position: number, length: number): Promise<Uint8Array> {
    this.requested.push(length);
    if (position + length > this.size) throw new Error(`read of ${length} at ${position} is past the end`);
    return Promise.resolve(this.bytes.subarray(position, position + length));
  }
}

/** Deterministic numbers in [0, 1): mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
