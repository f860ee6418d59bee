// Passes on one engine: sizes runs, divides the memory between them and the weights, and runs.

import { KV_BLOCK_TOKENS, type Backend } from '@airllm/backend';
import type { ModelDefinition } from '@airllm/model-zoo';
import { GenerateError } from '../errors.js';
import { PassRunner, type PassOptions } from '../pass/pass-runner.js';
import type { PassSequence } from '../pass/split-pass.js';
import type { Engine } from './engine.js';
import type { PassTime } from './run-counters.js';
import { RunMemory } from './run-memory.js';
import { demandOf, sizeRun, type RunDemand, type RunRequest, type RunSize } from './run-size.js';
import { WeightRoom } from './weight-room.js';

/** Share of the memory that a prompt's activations may take before it is computed in chunks. */
const ACTIVATION_SHARE = 1 / 8;

export class EngineRunner {
  readonly #definition: ModelDefinition;
  readonly #engine: Engine;
  readonly #passes: PassRunner;
  readonly #room: WeightRoom;

  /** @param computeSeconds per layer, the head last; added to */
  constructor(definition: ModelDefinition, engine: Engine, computeSeconds: number[]) {
    this.#definition = definition;
    this.#engine = engine;
    this.#passes = new PassRunner({ definition, ...engine, computeSeconds });
    this.#room = new WeightRoom(engine);
  }

  get backend(): Backend {
    return this.#engine.backend;
  }

  /**
   * Sizes the run and, where it needs more than is reserved, takes memory back from pinned weights, which get it
   * again from a later run that needs less. Where even that is too little, the prompt is computed in the smallest
   * chunks.
   *
   * @throws GenerateError `BUDGET_TOO_SMALL`
   */
  async reserve(request: RunRequest): Promise<RunSize> {
    const wanted = this.#sizeRun(request, this.#room.activationRoomBytes * ACTIVATION_SHARE);
    if (!(await this.#room.makeRoom(this.#demandOf(wanted)))) return wanted;
    const smallest = this.#sizeRun(request, 0);
    const demand = this.#demandOf(smallest);
    const refusal = await this.#room.makeRoom(demand);
    if (!refusal) return smallest;
    if (refusal instanceof GenerateError) throw refusal;
    const { kvBytes, arenaBytes } = smallest;
    const missing = Number(refusal.fields['minimumBytes']) + demand.hostBytes - this.#room.memoryBytes;
    throw new GenerateError(
      'BUDGET_TOO_SMALL',
      `Expected ${missing} more bytes of memory for this run (KV cache ${kvBytes}, activations ${arenaBytes}); raise memory.host by that much, or lower maxNewTokens or the batch`,
      { fields: { missingBytes: missing, kvBytes, activationBytes: arenaBytes }, cause: refusal },
    );
  }

  createMemory(size: RunSize): RunMemory {
    return new RunMemory(this.#engine.backend, size);
  }

  /**
   * Divides the memory anew before a pass: an arena that shrinks leaves more for weights, a process that grew less. A store
   * that cannot give more stays as it is, since the run was granted when it began.
   */
  async fit(memory: RunMemory, size: RunSize, passes: readonly PassSequence[]): Promise<void> {
    const cachedTokens = passes.reduce((sum, { past }) => sum + past, 0);
    const kvHostBytes = this.#engine.device ? 0 : size.kvBytes;
    const writtenBytes = (kvHostBytes * cachedTokens) / (size.kvShape.blocks * KV_BLOCK_TOKENS);
    const grows = size.arenaElements > memory.arena.elements;
    if (!grows) memory.resizeArena(size);
    await this.#room.makeRoom(this.#demandOf(size), writtenBytes);
    if (grows) memory.resizeArena(size);
  }

  /** Nothing is in flight when it settles. */
  async runPass(
    sequences: readonly PassSequence[],
    memory: RunMemory,
    options: Omit<PassOptions, 'arena' | 'kvCache'>,
  ): Promise<void> {
    const { arena, kvCache } = memory;
    // Beside the pass: what the passes before read. A change is noticed one pass late, and costs no time.
    const [files, pass] = await Promise.allSettled([
      this.#engine.store.expectFilesUnchanged(),
      this.#passes.run(sequences, { ...options, arena, kvCache }),
    ]);
    if (pass.status === 'rejected') throw pass.reason;
    if (files.status === 'rejected') throw files.reason;
  }

  /** Returns what has passed since: seconds, and of those the ones without a read in flight. */
  startClock(): () => PassTime {
    const { store } = this.#engine;
    const [started, idle] = [performance.now(), store.idleSeconds];
    return () => ({
      seconds: (performance.now() - started) / 1000,
      idleSeconds: store.idleSeconds - idle,
    });
  }

  #demandOf(size: RunSize): RunDemand {
    return demandOf(size, { onDevice: this.#engine.device !== undefined });
  }

  #sizeRun(request: RunRequest, activationBytes: number): RunSize {
    return sizeRun(this.#definition, request, activationBytes);
  }
}
