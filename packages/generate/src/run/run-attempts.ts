// The run at hand and the engine it is on: its memory is taken when it begins, and again when it goes on with another engine.

import type { AirllmError } from '@airllm/errors';
import type { ModelDefinition } from '@airllm/model-zoo';
import { throwIfAborted } from '../pass/pass-runner.js';
import { isDeviceLoss, isRefusal, type Engine, type RecoverEngine } from './engine.js';
import { EngineRunner } from './engine-runner.js';
import type { RunMemory } from './run-memory.js';
import type { RunRequest, RunSize } from './run-size.js';

export interface RunAttemptsOptions extends Engine {
  readonly definition: ModelDefinition;
  readonly recover?: RecoverEngine | undefined;
}

/** What a run computes with until its engine is lost. */
interface Grant {
  readonly size: RunSize;
  readonly memory: RunMemory;
}

export class RunAttempts {
  readonly #options: RunAttemptsOptions;
  readonly #computeSeconds: number[];
  readonly #closing: AbortSignal;
  #runner: EngineRunner;
  #grant: Grant | undefined;
  /** The run at hand has gone on with another engine than it began with. */
  #hasRecovered = false;
  #inFlight: Promise<unknown> | undefined;
  /** Why there is no engine any more. */
  #failure: { error: unknown } | undefined;

  constructor(
    options: RunAttemptsOptions,
    { computeSeconds, closing }: { computeSeconds: number[]; closing: AbortSignal },
  ) {
    this.#options = options;
    this.#computeSeconds = computeSeconds;
    this.#closing = closing;
    this.#runner = new EngineRunner(options.definition, options, computeSeconds);
  }

  /**
   * Runs `work` with the run's memory, which is taken first where it has none: what `request` says is needed from here on.
   * Returns the error to {@link recover} from, where the engine was lost and can be replaced.
   */
  async try(
    request: RunRequest,
    work: (runner: EngineRunner, memory: RunMemory, size: RunSize) => Promise<void>,
  ): Promise<AirllmError | undefined> {
    if (this.#failure) throw this.#failure.error;
    try {
      await this.#track(async () => {
        const { memory, size } = (this.#grant ??= await this.#begin(request));
        await work(this.#runner, memory, size);
      });
      return undefined;
    } catch (error) {
      const isRecoverable = isDeviceLoss(error) || (this.#hasRecovered && isRefusal(error));
      if (!this.#options.recover || !isRecoverable) throw error;
      return error;
    }
  }

  /**
   * Gives the run's memory back and waits for another engine.
   *
   * @throws GenerateError `ABORTED` when the model is closed meanwhile; what `recover` of the options rejects with, and so do
   * all later runs
   */
  recover(error: AirllmError): Promise<void> {
    return this.#track(async () => {
      const { definition, recover } = this.#options;
      if (!recover) throw error;
      const heldDeviceBytes = this.#runner.backend.deviceMemory?.usedBytes;
      try {
        this.#release();
      } catch {
        // Gone with the device.
      }
      throwIfAborted(this.#closing);
      try {
        const engine = await recover({ error, heldDeviceBytes, signal: this.#closing });
        this.#runner = new EngineRunner(definition, engine, this.#computeSeconds);
      } catch (reason) {
        this.#failure = { error: reason };
        throw reason;
      }
      this.#hasRecovered = true;
    });
  }

  /** The run is over: gives its memory back. */
  end(): void {
    this.#release();
    this.#hasRecovered = false;
  }

  /** Resolves when what is in flight has ended, however. */
  async settled(): Promise<void> {
    await this.#inFlight?.catch(() => undefined);
  }

  async #begin(request: RunRequest): Promise<Grant> {
    throwIfAborted(this.#closing);
    const size = await this.#runner.reserve(request);
    return { size, memory: this.#runner.createMemory(size) };
  }

  #release(): void {
    const grant = this.#grant;
    this.#grant = undefined;
    grant?.memory[Symbol.dispose]();
  }

  #track<T>(work: () => Promise<T>): Promise<T> {
    const running = work();
    this.#inFlight = running;
    return running;
  }
}
