// Memory of a backend with the lifetimes of the compute contract: host weights, pinned weights, arenas, KV caches.

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

/** A block known to native code by `id`. */
class NativeMemory {
  #disposed = false;

  constructor(
    protected readonly engine: NativeEngine,
    readonly id: number,
    readonly byteLength: number,
  ) {}

  /** Gives the memory back at once, or after the submissions in flight that use it. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.release();
  }

  protected release(): void {
    this.engine.release(this.id);
  }
}

/** Bytes of the host in locked pages, which the device's copy engine reads by itself. */
export class HostWeightMemory extends NativeMemory implements WeightMemory {
  readonly bytes: Uint8Array;
  readonly pageAligned = true;
  readonly #buffer: ArrayBuffer;

  constructor(engine: NativeEngine, byteLength: number) {
    super(
      engine,
      callNative(() => engine.allocateHost(byteLength)),
      byteLength,
    );
    this.#buffer = engine.expose(this.id);
    this.bytes = new Uint8Array(this.#buffer);
  }

  /** After this `bytes` has length 0. */
  protected override release(): void {
    this.engine.release(this.id, this.#buffer);
  }
}

/** Bytes on the device. */
export class PinnedWeightMemory extends NativeMemory implements WeightMemory {
  readonly bytes = new Uint8Array();
  readonly pageAligned = false;
}

export class CudaArena extends NativeMemory implements Arena {
  constructor(
    engine: NativeEngine,
    readonly elements: number,
  ) {
    const byteLength = elements * Float32Array.BYTES_PER_ELEMENT;
    super(
      engine,
      callNative(() => engine.allocateDevice(byteLength)),
      byteLength,
    );
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
export class CudaKvCache extends NativeMemory implements KvCache {
  constructor(
    engine: NativeEngine,
    readonly shape: KvCacheShape,
  ) {
    expectCacheShape(shape);
    const byteLength = kvCacheByteLength(shape);
    super(
      engine,
      callNative(() => engine.allocateDevice(byteLength)),
      byteLength,
    );
  }
}
