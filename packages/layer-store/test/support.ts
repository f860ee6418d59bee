// What the specs of this package share: seeded chance, memory that is counted, a loader whose reads end
// when the test says so, and checkpoints made of known bytes.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WeightMemory } from '@airllm/backend';
import type { PackedTile } from '../src/packed-tile.js';
import type { Placement } from '../src/placement.js';
import type { TileLease } from '../src/lease.js';
import type { StoredTensor } from '../src/resolved-weight.js';
import type { Tile } from '../src/tile.js';
import type { TensorContents } from './packed-tensors.js';

export const PAGE = 4096;

/** Seeded numbers (mulberry32), so that a failure can be repeated. */
export interface Random {
  /** A whole number within [low, high]. */
  int(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  return {
    int,
    chance: (probability) => next() < probability,
    pick: (items) => {
      const item = items[int(0, items.length - 1)];
      if (item === undefined) throw new Error('Expected something to pick from');
      return item;
    },
  };
}

/** Lets everything that needs no timer and no disk run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Hands out ordinary memory, counts it, and refuses to see it used or given back twice. */
export class CountingAllocator {
  liveBytes = 0;
  peakBytes = 0;
  allocations = 0;
  /** Throws instead when set. */
  failure: Error | undefined;

  readonly allocate = (byteLength: number): WeightMemory => {
    if (this.failure) throw this.failure;
    const bytes = new Uint8Array(byteLength);
    let alive = true;
    this.allocations += 1;
    this.liveBytes += byteLength;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
    return {
      byteLength,
      pageAligned: false,
      get bytes() {
        if (!alive) throw new Error('Weight memory was used after it was given back');
        return bytes;
      },
      dispose: () => {
        if (!alive) throw new Error('Weight memory was given back twice');
        alive = false;
        this.liveBytes -= byteLength;
      },
    };
  };

  /** The same bytes in memory of this allocator, as a device with memory of its own makes it. */
  copy(memory: WeightMemory): WeightMemory {
    const copy = this.allocate(memory.byteLength);
    copy.bytes.set(memory.bytes);
    return copy;
  }
}

declare const WebAssembly: { Memory: new (options: { initial: number }) => { buffer: ArrayBuffer } };

/** Memory that starts on a page, as direct I/O needs: WebAssembly promises pages of 64 KiB. */
export function allocatePages(byteLength: number): WeightMemory {
  const { buffer } = new WebAssembly.Memory({ initial: Math.ceil(byteLength / 65536) });
  return {
    byteLength,
    bytes: new Uint8Array(buffer, 0, byteLength),
    pageAligned: true,
    dispose: () => undefined,
  };
}

export interface PendingRead {
  readonly tile: number;
  readonly memory: WeightMemory;
  finish(): void;
  fail(error: Error): void;
}

const BEING_WRITTEN = 0xffffffff;

/** The tile whose bytes are in this memory; undefined while a read is writing to it. */
export function stampOf(memory: WeightMemory): number | undefined {
  const stamp = new DataView(memory.bytes.buffer).getUint32(0);
  return stamp === BEING_WRITTEN ? undefined : stamp;
}

function stamp(memory: WeightMemory, value: number): void {
  new DataView(memory.bytes.buffer).setUint32(0, value);
}

/** Reads end when the test calls `finish` or `fail`; two reads into one memory are refused. */
export class ManualLoader {
  readonly pending: PendingRead[] = [];
  /** Every read that was ever started. */
  readonly started: number[] = [];
  /** Where each of them went. */
  readonly memories: WeightMemory[] = [];
  onStart: (memory: WeightMemory) => void = () => undefined;

  load(tile: Tile, memory: WeightMemory): Promise<void> {
    if (this.pending.some((read) => read.memory === memory)) throw new Error('Two reads share one memory');
    this.onStart(memory);
    this.started.push(tile.index);
    this.memories.push(memory);
    stamp(memory, BEING_WRITTEN);
    return new Promise((resolve, reject) => {
      const forget = (): void => void this.pending.splice(this.pending.indexOf(read), 1);
      const read: PendingRead = {
        tile: tile.index,
        memory,
        finish: () => {
          stamp(memory, tile.index);
          forget();
          resolve();
        },
        fail: (error) => {
          forget();
          reject(error);
        },
      };
      this.pending.push(read);
    });
  }

  /** Reads that nobody waits for end like the others. */
  loadAside(tile: Tile, memory: WeightMemory): Promise<void> {
    return this.load(tile, memory);
  }

  /** Held back while `busy` is pending. */
  busy: Promise<void> = Promise.resolve();

  whenIdle(): Promise<void> {
    return this.busy;
  }

  get pendingTiles(): number[] {
    return this.pending.map(({ tile }) => tile);
  }

  /** Ends the pending read of `tile`, and lets the store react. */
  async finish(tile: number): Promise<void> {
    this.#find(tile).finish();
    await settled();
  }

  async fail(tile: number, message = 'the disk is gone'): Promise<void> {
    this.#find(tile).fail(new Error(message));
    await settled();
  }

  /** Ends every read, and those that follow from it, until there is none. */
  async finishAll(): Promise<void> {
    while (this.pending.length > 0) {
      this.pending[0]?.finish();
      await settled();
    }
  }

  #find(tile: number): PendingRead {
    const read = this.pending.find((candidate) => candidate.tile === tile);
    if (!read)
      throw new Error(`Expected a pending read of tile ${tile}; pending: ${this.pendingTiles.join()}`);
    return read;
  }
}

/** Packs to half of a tile's bytes when the test says so, and refuses to see a memory that was given back. */
export class ManualPacker {
  readonly pending: { readonly tile: number; end(outcome: 'packed' | 'too large' | Error): void }[] = [];
  /** Every tile that was ever asked for. */
  readonly started: number[] = [];

  constructor(private readonly allocate: (byteLength: number) => WeightMemory) {}

  readonly pack = (tile: Tile, plain: WeightMemory): Promise<PackedTile | undefined> => {
    if (stampOf(plain) !== tile.index) throw new Error(`Tile ${tile.index} is packed from other bytes`);
    this.started.push(tile.index);
    const memory = this.allocate(tile.bufferBytes / 2);
    return new Promise((resolve, reject) => {
      const end = (outcome: 'packed' | 'too large' | Error): void => {
        this.pending.splice(this.pending.indexOf(job), 1);
        if (outcome !== 'packed') memory.dispose();
        if (outcome instanceof Error) return reject(outcome);
        if (outcome === 'too large') return resolve(undefined);
        stamp(memory, stampOf(plain) ?? BEING_WRITTEN);
        resolve({
          memory,
          slice: () => {
            throw new Error('Expected nobody to ask for rows of a tile without parts');
          },
        });
      };
      const job = { tile: tile.index, end };
      this.pending.push(job);
    });
  };

  /** Ends the job at hand, and lets the store react. */
  async end(outcome: 'packed' | 'too large' | Error): Promise<void> {
    const [job] = this.pending;
    if (!job) throw new Error('Expected a tile that is being packed');
    job.end(outcome);
    await settled();
  }
}

/** `count` tiles of one page each, without parts. */
export function makeTiles(count: number, firstIndex = 0): Tile[] {
  return Array.from({ length: count }, (_, i) => ({
    index: firstIndex + i,
    stage: 0,
    parts: [],
    reads: [],
    bufferBytes: PAGE,
  }));
}

/** A placement of {@link makeTiles} with these tiles pinned in host memory, and these on the device. */
export function makePlacement(
  count: number,
  pinnedTiles: readonly number[],
  ringSlots: number,
  deviceTiles: readonly number[] = [],
): Placement {
  const among = (tiles: readonly number[]): boolean[] =>
    Array.from({ length: count }, (_, i) => tiles.includes(i));
  const pinnedBytes = pinnedTiles.length * PAGE;
  const loadingBytes = Math.min(2, deviceTiles.length) * PAGE;
  return {
    onDevice: among(deviceTiles),
    deviceBytes: deviceTiles.length * PAGE,
    loadingBytes,
    pinned: among(pinnedTiles),
    pinnedBytes,
    ringSlots,
    ringSlotBytes: PAGE,
    expertSlots: 0,
    expertSlotBytes: 0,
    totalBytes: loadingBytes + pinnedBytes + ringSlots * PAGE,
  };
}

/** A folder that is gone after the test file. */
export function temporaryFolder(): { readonly path: string } {
  const folder = { path: '' };
  beforeAll(async () => {
    folder.path = await mkdtemp(join(tmpdir(), 'layer-store-'));
  });
  afterAll(() => rm(folder.path, { recursive: true, force: true }));
  return folder;
}

export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** Default `BF16`. */
  readonly dtype?: 'BF16' | 'F16' | 'F32';
  /** Unused bytes before it; odd numbers make odd offsets. Default 0. */
  readonly gap?: number;
}

/** Writes tensors of random bytes one after the other, the last one to the very end of the file. */
export async function writeTensors(
  path: string,
  specs: readonly TensorSpec[],
  random: Random,
): Promise<{ tensors: Map<string, StoredTensor>; bytesOf(name: string): Buffer; file: Buffer }> {
  const tensors = new Map<string, StoredTensor>();
  let end = 0;
  for (const { name, shape, dtype = 'BF16', gap = 0 } of specs) {
    const byteLength = shape.reduce((product, size) => product * size, dtype === 'F32' ? 4 : 2);
    const byteOffset = end + gap;
    tensors.set(name, { name, dtype, shape, path, byteOffset, byteLength });
    end = byteOffset + byteLength;
  }
  const file = Buffer.from(Uint8Array.from({ length: end }, () => random.int(0, 255)));
  await writeFile(path, file);
  return {
    tensors,
    file,
    bytesOf: (name) => {
      const tensor = tensors.get(name);
      if (!tensor) throw new Error(`Expected a tensor ${name}`);
      return file.subarray(tensor.byteOffset, tensor.byteOffset + tensor.byteLength);
    },
  };
}

/** Writes tensors one after the other, at addresses of every remainder. */
export async function writeContents(
  path: string,
  contents: readonly TensorContents[],
): Promise<Map<string, StoredTensor>> {
  const tensors = new Map<string, StoredTensor>();
  const parts: Uint8Array[] = [];
  let end = 0;
  contents.forEach(({ name, dtype, shape, bytes }, i) => {
    const gap = new Uint8Array(i % 4);
    const byteOffset = end + gap.length;
    tensors.set(name, { name, dtype, shape, path, byteOffset, byteLength: bytes.length });
    parts.push(gap, bytes);
    end = byteOffset + bytes.length;
  });
  await writeFile(path, Buffer.concat(parts));
  return tensors;
}

/** A tile that is waited for, and what came of it. */
export interface Waiting {
  readonly tile: number;
  lease?: TileLease;
  error?: unknown;
}
