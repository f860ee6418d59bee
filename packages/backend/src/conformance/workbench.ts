// Lays out the operands of a case in the memory of one backend, runs commands and reads the outputs. The
// same case runs on a workbench of the backend under test and on one of the reference backend.

import type { Arena, Backend, KvCache, Submission } from '../backend.js';
import type { KvCacheShape } from '../batch.js';
import { BackendError } from '../errors.js';
import type { DType, ElementDType } from '../dtype.js';
import { Tensor } from '../tensor.js';
import type { WeightMemory, WeightSlice } from '../weight.js';
import { encodeWeights } from './encode-weights.js';
import { quantizeBlocks } from './quantize-blocks.js';

/** What arena elements hold that no case has written: writes outside of outputs are seen by it. */
const UNTOUCHED = 12345.5;

/** Elements between tensors, untouched; odd, so that tensors lie at every alignment. */
const GAP = 3;

/** Rows and columns that share a scale: blocks end within vectors, and weights within blocks. */
const SCALE_BLOCK = [5, 24] as const;

export interface WeightContent {
  readonly data: Float32Array;
  /** Default 0. */
  readonly byteOffset?: number;
  /** Rows and columns that share a scale in f8e4m3. Default 5 × 24. */
  readonly block?: readonly [rows: number, cols: number];
  /** Of those scales. Default f32. */
  readonly scaleDType?: 'f32' | 'bf16';
}

export class Workbench {
  readonly #tensors: { tensor: Tensor; data: Float32Array | undefined }[] = [];
  readonly #owned: { dispose(): void }[] = [];
  #elements = GAP;
  #arena: Arena | undefined;

  constructor(readonly backend: Backend) {}

  /**
   * A tensor with `data` (row-major), or an untouched one. Its rows are `cols + padding` elements apart.
   * All tensors are made before the first submission.
   */
  tensor(
    rows: number,
    cols: number,
    { data, padding = 0 }: { data?: Float32Array; padding?: number } = {},
  ): Tensor {
    const rowStride = cols + padding;
    const elements = rows * rowStride;
    const tensor = new Tensor({ elements, offset: this.#elements }, rows, cols, rowStride, 0);
    this.#elements += elements + GAP;
    this.#tensors.push({ tensor, data });
    return tensor;
  }

  /** A weight [rows, cols] with `data` in `dtype`, `byteOffset` bytes into its memory. */
  weight(
    dtype: ElementDType,
    [rows, cols]: readonly [rows: number, cols: number],
    { data, byteOffset = 0, block = SCALE_BLOCK, scaleDType = 'f32' }: WeightContent,
  ): WeightSlice {
    if (dtype !== 'f8e4m3') {
      return this.weightOfBytes(dtype, [rows, cols], { bytes: encodeWeights(dtype, data), byteOffset });
    }
    const { bytes, scales, cols: gridCols } = quantizeBlocks(data, cols, block);
    const [blockRows, blockCols] = block;
    return {
      ...this.weightOfBytes(dtype, [rows, cols], { bytes, byteOffset }),
      scales: {
        memory: this.#memory(encodeWeights(scaleDType, scales), byteOffset),
        byteOffset,
        dtype: scaleDType,
        cols: gridCols,
        blockRows,
        blockCols,
        firstRow: 0,
      },
    };
  }

  weightOfBytes(
    dtype: DType,
    [rows, cols]: readonly [rows: number, cols: number],
    { bytes, byteOffset = 0 }: { bytes: Uint8Array; byteOffset?: number },
  ): WeightSlice {
    return { memory: this.#memory(bytes, byteOffset), byteOffset, dtype, rows, cols };
  }

  kvCache(shape: KvCacheShape): KvCache {
    const cache = this.backend.createKvCache(shape);
    this.#owned.push(cache);
    return cache;
  }

  /**
   * Runs commands in one submission and resolves to the outputs, one after the other.
   *
   * @throws BackendError `INVALID_OPERAND` when anything but `outputs` was changed.
   */
  async run(
    commands: Submission['commands'],
    outputs: readonly Tensor[],
    operands: Pick<Submission, 'kvCache' | 'batch'> = {},
  ): Promise<Float32Array> {
    const arena = (this.#arena ??= await this.#createArena());
    const whole = new Tensor({ elements: arena.elements, offset: 0 }, 1, arena.elements, arena.elements, 0);
    const before = await arena.read(whole);
    await this.backend.submit({ commands, arena, ...operands });
    const after = await arena.read(whole);
    for (const output of outputs)
      forEachRow(output, (start, end) => before.set(after.subarray(start, end), start));
    const changed = before.findIndex((value, i) => !Object.is(value, after[i]));
    if (changed >= 0) {
      throw new BackendError(
        'INVALID_OPERAND',
        `Expected only outputs to change but element ${changed} of the arena went from ${before[changed]} to ${after[changed]}`,
      );
    }
    return concatenate(await Promise.all(outputs.map((output) => arena.read(output))));
  }

  dispose(): void {
    for (const owned of this.#owned) owned.dispose();
    this.#arena?.dispose();
  }

  #memory(bytes: Uint8Array, byteOffset: number): WeightMemory {
    const memory = this.backend.allocateWeights(byteOffset + bytes.byteLength);
    this.#owned.push(memory);
    memory.bytes.set(bytes, byteOffset);
    return memory;
  }

  async #createArena(): Promise<Arena> {
    const arena = this.backend.createArena(this.#elements);
    const initial = new Float32Array(arena.elements).fill(UNTOUCHED);
    for (const { tensor, data } of this.#tensors) {
      if (!data) continue;
      forEachRow(tensor, (start, end, row) =>
        initial.set(data.subarray(row * tensor.cols, (row + 1) * tensor.cols), start),
      );
    }
    await arena.write(
      new Tensor({ elements: initial.length, offset: 0 }, 1, initial.length, initial.length, 0),
      initial,
    );
    return arena;
  }
}

export function concatenate(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let start = 0;
  for (const part of parts) {
    whole.set(part, start);
    start += part.length;
  }
  return whole;
}

function forEachRow(tensor: Tensor, visit: (start: number, end: number, row: number) => void): void {
  for (let row = 0; row < tensor.rows; row++) {
    const start = tensor.offset + row * tensor.rowStride;
    visit(start, start + tensor.cols, row);
  }
}
