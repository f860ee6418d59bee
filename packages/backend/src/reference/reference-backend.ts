// The backend that defines what the ops mean: plain TypeScript, float64, one thread. It is the truth of
// the conformance suite and the fallback that runs where no native backend does.

import type { Arena, Backend, KvCache, Submission, SubmissionResult } from '../backend.js';
import type { KvCacheShape } from '../batch.js';
import { DTYPES, PACKED_DTYPES } from '../dtype.js';
import { BackendError } from '../errors.js';
import type { WeightMemory } from '../weight.js';
import { checkCacheShape } from './check-batch.js';
import { checkCommand } from './check-command.js';
import { ReferenceArena } from './reference-arena.js';
import { ReferenceKvCache } from './reference-kv-cache.js';
import { runCommand } from './run-command.js';
import { TimeSlice } from './time-slice.js';
import { ReferenceWeightMemory } from './weight-memory.js';
import type { Workspace } from './workspace.js';

/**
 * Creates the reference backend. Arithmetic is float64 throughout; only the KV cache rounds to float32.
 * It works on the JavaScript thread, in slices of a few milliseconds.
 *
 * @example
 * await using backend = createReferenceBackend();
 * const arena = backend.createArena(program.arenaElements);
 */
export function createReferenceBackend(): Backend {
  return new ReferenceBackend();
}

class ReferenceBackend implements Backend {
  readonly name = 'reference';
  readonly description = 'TypeScript, float64, one thread';
  readonly dtypes = [...DTYPES, ...PACKED_DTYPES];
  readonly #slice = new TimeSlice();
  /** Settles, always fulfilled, when everything queued so far is done. */
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;

  allocateWeights(byteLength: number): WeightMemory {
    this.#expectOpen();
    return new ReferenceWeightMemory(byteLength);
  }

  createArena(elements: number): Arena {
    this.#expectOpen();
    return new ReferenceArena(elements, (work) => this.#enqueue(work));
  }

  createKvCache(shape: KvCacheShape): KvCache {
    this.#expectOpen();
    checkCacheShape(shape);
    return new ReferenceKvCache(shape);
  }

  async submit(submission: Submission): Promise<SubmissionResult> {
    this.#expectOpen();
    const workspace = checkSubmission(submission);
    return this.#enqueue(() => this.#run(submission, workspace));
  }

  /** Finishes what was submitted, then refuses everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#queue;
  }

  async #run({ commands }: Submission, workspace: Workspace): Promise<SubmissionResult> {
    let computeMs = 0;
    let start = performance.now();
    for (const command of commands) {
      const steps = runCommand(command, workspace);
      do {
        if (!this.#slice.isOver) continue;
        computeMs += performance.now() - start;
        await this.#slice.rest();
        start = performance.now();
      } while (!steps.next().done);
    }
    computeMs += performance.now() - start;
    return { computeSeconds: computeMs / 1000 };
  }

  #enqueue<T>(work: () => T | Promise<T>): Promise<T> {
    this.#expectOpen();
    const result = this.#queue.then(work);
    this.#queue = result.then(ignore, ignore);
    return result;
  }

  #expectOpen(): void {
    if (this.#closed) {
      throw new BackendError('BACKEND_CLOSED', 'Expected an open reference backend but it has been disposed');
    }
  }
}

function checkSubmission(submission: Submission): Workspace {
  const { arena, kvCache, batch } = submission;
  if (!(arena instanceof ReferenceArena) || (kvCache && !(kvCache instanceof ReferenceKvCache))) {
    throw new BackendError(
      'INVALID_OPERAND',
      'Expected an arena and a KV cache made by the reference backend, but they belong to another one',
    );
  }
  for (const command of submission.commands) checkCommand(command, submission);
  return { values: arena.values, kvCache, batch };
}

function ignore(): void {}
