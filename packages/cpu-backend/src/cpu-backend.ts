// The compute contract over the native engine: checks who owns which memory, encodes, submits.

import {
  BackendError,
  DTYPES,
  PACKED_DTYPES,
  type Arena,
  type Backend,
  type DType,
  type KvCache,
  type KvCacheShape,
  type Precision,
  type Submission,
  type SubmissionResult,
  type WeightMemory,
} from '@airllm/backend';
import { encodeSubmission, expectSize, toBackendError } from '@airllm/native-submission';
import { constants } from 'node:buffer';
import type { NativeEngine } from './binding.js';
import { CpuArena, CpuKvCache, CpuWeightMemory } from './cpu-memory.js';

/** By instruction set, as bench/packed-gemv.js measures them: at least 0.85 of the memory's bandwidth with two cores. */
const MEMORY_SPEED_DTYPES: Partial<Record<string, readonly DType[]>> = {
  avx512vbmi: ['bf16z'],
  amx: ['bf16z'],
};

export class CpuBackend implements Backend {
  readonly name = 'cpu';
  readonly description: string;
  readonly dtypes = [...DTYPES, ...PACKED_DTYPES];
  readonly memorySpeedDTypes: readonly DType[];
  readonly #engine: NativeEngine;
  readonly #memory = new WeakMap<object, number>();
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(engine: NativeEngine, { threads, precision }: { threads: number; precision: Precision }) {
    this.#engine = engine;
    const parts = ['CPU', engine.instructionSet, `${threads} ${threads === 1 ? 'thread' : 'threads'}`];
    if (precision === 'fast')
      parts.push(engine.fastSet ? `fast with ${engine.fastSet}` : 'fast is exact here');
    this.description = parts.join(', ');
    this.memorySpeedDTypes = MEMORY_SPEED_DTYPES[engine.instructionSet] ?? [];
  }

  allocateWeights(byteLength: number): WeightMemory {
    expectSize('weight bytes', byteLength);
    if (byteLength > constants.MAX_LENGTH) {
      throw new BackendError(
        'OUT_OF_MEMORY',
        `Expected at most ${constants.MAX_LENGTH} bytes in one weight memory but received ${byteLength}; allocate several`,
      );
    }
    return this.#own(() => new CpuWeightMemory(this.#engine, byteLength));
  }

  createArena(elements: number): Arena {
    expectSize('arena elements', elements);
    return this.#own(() => new CpuArena(this.#engine, elements));
  }

  createKvCache(shape: KvCacheShape): KvCache {
    return this.#own(() => new CpuKvCache(this.#engine, shape));
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
    try {
      const running = this.#engine.submit(words);
      this.#last = running;
      return { computeSeconds: await running };
    } catch (error) {
      throw toBackendError(error);
    }
  }

  /** Waits for submissions in flight, then ends the threads. Memory is given back by its own `dispose`. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#last.catch(() => undefined); // its submitter hears of the failure
    this.#engine.close();
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
