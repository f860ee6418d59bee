// Native memory with the lifetimes of the compute contract: weights, arenas, KV caches.

import {
  kvCacheByteLength,
  type Arena,
  type KvCache,
  type KvCacheShape,
  type Tensor,
  type WeightMemory,
} from '@airllm/backend';
import { callNative, expectCacheShape, tensorWords, toBackendError } from '@airllm/native-submission';
import type { NativeEngine } from './binding.js';

/** A mapping known to native code by `id`. */
class NativeMemory {
  readonly id: number;
  #disposed = false;

  constructor(
    protected readonly engine: NativeEngine,
    readonly byteLength: number,
    fullyWritten: boolean,
  ) {
    this.id = callNative(() => engine.allocate(byteLength, fullyWritten));
  }

  /** Gives the pages back at once, or after the submissions in flight that use them. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.release();
  }

  protected release(): void {
    this.engine.release(this.id);
  }
}

/** Weight bytes, page aligned, in huge pages where they fill some. */
export class CpuWeightMemory extends NativeMemory implements WeightMemory {
  readonly bytes: Uint8Array;
  readonly pageAligned = true;
  readonly #buffer: ArrayBuffer;

  constructor(engine: NativeEngine, byteLength: number) {
    super(engine, byteLength, true);
    this.#buffer = engine.expose(this.id);
    this.bytes = new Uint8Array(this.#buffer);
  }

  /** After this `bytes` has length 0. */
  protected override release(): void {
    this.engine.release(this.id, this.#buffer);
  }
}

export class CpuArena extends NativeMemory implements Arena {
  constructor(
    engine: NativeEngine,
    readonly elements: number,
  ) {
    super(engine, elements * Float32Array.BYTES_PER_ELEMENT, false);
  }

  async write(tensor: Tensor, data: Float32Array): Promise<void> {
    try {
      await this.engine.write(this.id, Float64Array.from(tensorWords(tensor)), data);
    } catch (error) {
      throw toBackendError(error);
    }
  }

  async read(tensor: Tensor): Promise<Float32Array> {
    try {
      return await this.engine.read(this.id, Float64Array.from(tensorWords(tensor)));
    } catch (error) {
      throw toBackendError(error);
    }
  }
}

/** Layer by layer, as `cacheLayerElements` of the contract counts them. */
export class CpuKvCache extends NativeMemory implements KvCache {
  constructor(
    engine: NativeEngine,
    readonly shape: KvCacheShape,
  ) {
    expectCacheShape(shape);
    super(engine, kvCacheByteLength(shape), false);
  }
}
