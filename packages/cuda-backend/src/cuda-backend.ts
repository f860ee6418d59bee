// The compute contract over the native engine: checks who owns which memory, encodes, submits.

import {
  BackendError,
  DTYPES,
  PACKED_DTYPES,
  type Arena,
  type Backend,
  type DeviceMemory,
  type KvCache,
  type KvCacheShape,
  type Submission,
  type SubmissionResult,
  type WeightMemory,
} from '@airllm/backend';
import { encodeSubmission, expectSize, toBackendError } from '@airllm/native-submission';
import { constants } from 'node:buffer';
import type { NativeEngine } from './binding.js';
import { CudaArena, CudaKvCache, HostWeightMemory, PinnedWeightMemory } from './cuda-memory.js';

export class CudaBackend implements Backend {
  readonly name = 'cuda';
  readonly description: string;
  readonly dtypes = [...DTYPES, ...PACKED_DTYPES];
  readonly deviceMemory: DeviceMemory;
  readonly #engine: NativeEngine;
  readonly #memory = new WeakMap<object, number>();
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(engine: NativeEngine, { fast }: { fast: boolean }) {
    this.#engine = engine;
    this.description = [
      'CUDA',
      `${engine.deviceName} (${engine.computeCapability})`,
      ...(fast ? ['fast in bf16'] : []),
    ].join(', ');
    this.deviceMemory = {
      limitBytes: engine.limitBytes,
      stagingBytes: engine.stagingBytes,
      get usedBytes() {
        return engine.usedBytes();
      },
      pin: (memory) => this.#pin(memory),
    };
  }

  allocateWeights(byteLength: number): WeightMemory {
    expectSize('weight bytes', byteLength);
    if (byteLength > constants.MAX_LENGTH) {
      throw new BackendError(
        'OUT_OF_MEMORY',
        `Expected at most ${constants.MAX_LENGTH} bytes in one weight memory but received ${byteLength}; allocate several`,
      );
    }
    return this.#own(() => new HostWeightMemory(this.#engine, byteLength));
  }

  createArena(elements: number): Arena {
    expectSize('arena elements', elements);
    return this.#own(() => new CudaArena(this.#engine, elements));
  }

  createKvCache(shape: KvCacheShape): KvCache {
    return this.#own(() => new CudaKvCache(this.#engine, shape));
  }

  async submit({ commands, arena, kvCache, batch }: Submission): Promise<SubmissionResult> {
    this.#expectOpen();
    const words = encodeSubmission({
      commands,
      arena: this.#idOf('arena', arena),
      kvCache: kvCache && { memory: this.#idOf('KV cache', kvCache), shape: kvCache.shape },
      batch,
      memoryOf: (memory) => this.#idOf('weight memory', memory),
    });
    const computeSeconds = await this.#running(() => this.#engine.submit(words));
    return { computeSeconds };
  }

  /** Waits for submissions in flight, then ends the threads. Memory is given back by its own `dispose`. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#last.catch(() => undefined); // its submitter hears of the failure
    this.#engine.close();
  }

  async #pin(memory: WeightMemory): Promise<WeightMemory> {
    this.#expectOpen();
    const host = this.#idOf('weight memory', memory);
    const id = await this.#running(() => this.#engine.pin(host));
    return this.#own(() => new PinnedWeightMemory(this.#engine, id, memory.byteLength));
  }

  async #running<T>(start: () => Promise<T>): Promise<T> {
    try {
      const running = start();
      this.#last = running;
      return await running;
    } catch (error) {
      throw toBackendError(error);
    }
  }

  #own<M extends object & { readonly id: number }>(create: () => M): M {
    this.#expectOpen();
    const memory = create();
    this.#memory.set(memory, memory.id);
    return memory;
  }

  #idOf(what: string, memory: object): number {
    const id = this.#memory.get(memory);
    if (id !== undefined) return id;
    throw new BackendError('INVALID_OPERAND', `Expected ${what} of this backend`);
  }

  #expectOpen(): void {
    if (this.#closed)
      throw new BackendError('BACKEND_CLOSED', 'Expected an open backend; create another one');
  }
}
