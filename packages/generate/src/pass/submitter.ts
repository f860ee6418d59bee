// Collects commands and hands them to the device in one submission; gives tiles back when the commands
// that read them have run. Keeps few submissions in flight and remembers the first failure.

import type { Arena, Backend, BatchLayout, Command, KvCache, WeightSlice } from '@airllm/backend';
import type { TileLease } from '@airllm/layer-store';

/** What every submission of a pass shares. */
export interface SubmissionContext {
  readonly arena: Arena;
  readonly kvCache: KvCache;
  readonly batch: BatchLayout;
}

export class Submitter {
  readonly #backend: Backend;
  readonly #context: SubmissionContext;
  readonly #computeSeconds: number[];
  readonly #inFlight = new Set<Promise<void>>();
  /** The layer or head that is being submitted. */
  stage = 0;
  #commands: Command<WeightSlice>[] = [];
  #leases: TileLease[] = [];
  #failure: { error: unknown } | undefined;

  /** @param computeSeconds per stage, added to as submissions end */
  constructor(backend: Backend, context: SubmissionContext, computeSeconds: number[]) {
    this.#backend = backend;
    this.#context = context;
    this.#computeSeconds = computeSeconds;
  }

  get arena(): Arena {
    return this.#context.arena;
  }

  push(command: Command<WeightSlice>): void {
    this.#commands.push(command);
  }

  /** Releases `lease` when everything pushed so far has run. */
  releaseAfter(lease: TileLease): void {
    this.#leases.push(lease);
  }

  /** Submits what was pushed, without waiting for it. */
  flush(): void {
    if (this.#commands.length === 0 && this.#leases.length === 0) return;
    const commands = this.#commands;
    const leases = this.#leases;
    const stage = this.stage;
    this.#commands = [];
    this.#leases = [];
    const done = this.#backend
      .submit({ commands, ...this.#context })
      .then(({ computeSeconds }) => {
        this.#computeSeconds[stage] = (this.#computeSeconds[stage] ?? 0) + computeSeconds;
      })
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        for (const lease of leases) lease.release();
        this.#inFlight.delete(done);
      });
    this.#inFlight.add(done);
  }

  /** Submits the rest and waits until at most `limit` submissions are in flight. Throws the first failure. */
  async settle(limit = 0): Promise<void> {
    this.flush();
    while (this.#inFlight.size > limit) await Promise.race(this.#inFlight);
    if (this.#failure) throw this.#failure.error;
  }

  /** After a failure elsewhere: forgets what was not submitted and waits for what was. Never throws. */
  async abandon(): Promise<void> {
    this.#commands = [];
    await Promise.all(this.#inFlight);
    for (const lease of this.#leases.splice(0)) lease.release();
  }
}
