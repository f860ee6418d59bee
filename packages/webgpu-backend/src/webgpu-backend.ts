// The compute contract over one GPU: checks operands, turns commands into dispatches, hands them over in order.

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
import { checkCommand } from '@airllm/backend/reference';
import { constants } from 'node:buffer';
import type { Dispatch } from './dispatch/dispatch.js';
import { expectOwnWeights, runDispatches } from './dispatch/run-dispatches.js';
import { BINDING_ALIGNMENT, Staging } from './dispatch/staging.js';
import type { Gpu } from './gpu/gpu.js';
import { WebGpuArena } from './memory/arena.js';
import { WebGpuKvCache } from './memory/kv-cache.js';
import { Scratch } from './memory/scratch.js';
import { HostWeightMemory, PinnedWeightMemory } from './memory/weight-memory.js';
import { encodeCommand } from './ops/encode-command.js';
import { WorkQueue } from './work-queue.js';

/** Kernels address weights by bytes in 32 bits. */
const MAX_WEIGHT_BYTES = 2 ** 31;
/** A lossless weight needs 4 bytes of scratch for 64 columns or fewer of a row, which have 26 bytes or more. */
const WEIGHT_BYTES_PER_SCRATCH_BYTE = 6;

export class WebGpuBackend implements Backend {
  readonly name = 'webgpu';
  readonly dtypes = [...DTYPES, ...PACKED_DTYPES];
  readonly deviceMemory: DeviceMemory;
  readonly #gpu: Gpu;
  readonly #queue = new WorkQueue();
  readonly #staging: Staging;
  readonly #scratch: Scratch;
  readonly #owned = new WeakSet<object>();
  /** When the device was last seen to have finished something, in milliseconds. */
  #lastDone = 0;
  #disposal: Promise<void> | undefined;

  constructor(
    gpu: Gpu,
    readonly description: string,
  ) {
    this.#gpu = gpu;
    this.#staging = new Staging(gpu);
    this.#scratch = new Scratch(gpu);
    const { memory } = gpu;
    this.deviceMemory = {
      limitBytes: memory.limitBytes,
      stagingBytes: memory.stagingBytes,
      get usedBytes() {
        return memory.usedBytes;
      },
      pin: (weights) => this.#pin(weights),
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
    return this.#own(() => new HostWeightMemory(byteLength));
  }

  createArena(elements: number): Arena {
    expectSize('arena elements', elements);
    return this.#own(() => new WebGpuArena(elements, { gpu: this.#gpu, queue: this.#queue }));
  }

  createKvCache(shape: KvCacheShape): KvCache {
    return this.#own(() => new WebGpuKvCache(shape, this.#gpu));
  }

  async submit(submission: Submission): Promise<SubmissionResult> {
    this.#queue.expectOpen();
    this.#gpu.expectAlive();
    const { arena, kvCache } = submission;
    if (!(arena instanceof WebGpuArena && this.#owned.has(arena)))
      throw new BackendError('INVALID_OPERAND', 'Expected an arena of this backend');
    if (kvCache && !(kvCache instanceof WebGpuKvCache && this.#owned.has(kvCache)))
      throw new BackendError('INVALID_OPERAND', 'Expected a KV cache of this backend');
    for (const command of submission.commands) checkCommand(command, submission);
    const dispatches = this.#encode(submission, { arena, kvCache });
    expectOwnWeights(dispatches, this.#owned);
    return this.#queue.run(async () => {
      await Promise.all([arena.ready(), kvCache?.ready(), this.#scratch.ready()]);
      const start = performance.now();
      await runDispatches(dispatches, { gpu: this.#gpu, staging: this.#staging });
      return { settled: this.#finished(start) };
    });
  }

  /** Finishes what was submitted, then gives the device back with everything that is on it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    await this.#disposal;
  }

  async #dispose(): Promise<void> {
    this.#queue.close();
    await this.#queue.drained();
    this.#staging.dispose();
    this.#scratch.dispose();
    this.#gpu.close();
  }

  #encode(
    { commands, batch }: Submission,
    { arena, kvCache }: { arena: WebGpuArena; kvCache: WebGpuKvCache | undefined },
  ): Dispatch[] {
    const dispatches: Dispatch[] = [];
    // A binding begins before its weight where that is not aligned, and ends behind it.
    const largestBinding = this.#gpu.limits.maxStorageBufferBindingSize - 2 * BINDING_ALIGNMENT;
    const context = {
      arena: arena.buffer,
      kvCache,
      batch,
      // The rest of a slot is for the numbers of dispatches.
      maxWeightBytes: Math.min(
        0.75 * this.#staging.slotBytes,
        largestBinding,
        MAX_WEIGHT_BYTES,
        WEIGHT_BYTES_PER_SCRATCH_BYTE * this.#scratch.byteLength,
      ),
      scratchBytes: this.#scratch.byteLength,
      scratch: (byteLength: number) => this.#scratch.buffer(byteLength),
      emit: (dispatch: Dispatch) => void dispatches.push(dispatch),
    };
    for (const command of commands) encodeCommand(context, command);
    return dispatches;
  }

  /** Seconds from the later of `start` and the end of what ran before. */
  async #finished(start: number): Promise<SubmissionResult> {
    await this.#gpu.finished();
    const end = performance.now();
    const began = Math.max(start, this.#lastDone);
    this.#lastDone = end;
    return { computeSeconds: Math.max(0, end - began) / 1000 };
  }

  async #pin(memory: WeightMemory): Promise<WeightMemory> {
    this.#queue.expectOpen();
    if (!(memory instanceof HostWeightMemory && this.#owned.has(memory)))
      throw new BackendError('INVALID_OPERAND', 'Expected host weight memory of this backend');
    const { byteLength } = memory;
    const words = memory.wordsOf(0, byteLength);
    const counted = this.#gpu.createBuffer('pinned weights', byteLength);
    return this.#queue.run(async () => {
      await counted.ready;
      this.#gpu.device.queue.writeBuffer(counted.buffer, 0, words);
      const settled = this.#gpu
        .finished()
        .then(() => this.#own(() => new PinnedWeightMemory(counted, byteLength)));
      return { settled };
    });
  }

  #own<M extends object>(create: () => M): M {
    this.#queue.expectOpen();
    const memory = create();
    this.#owned.add(memory);
    return memory;
  }
}

function expectSize(what: string, size: number): void {
  if (Number.isSafeInteger(size) && size > 0) return;
  throw new BackendError(
    'INVALID_OPERAND',
    `Expected a positive whole number of ${what} but received ${size}`,
  );
}
