// The engine that a model computes with, and the next one where it is lost. Says every step, and what all of them have read.

import type { AirllmError } from '@airllm/errors';
import { BackendError } from '@airllm/backend';
import type { Engine, EngineLoss } from '@airllm/generate';
import { CoreError } from '../errors.js';
import { addStageStats, type StoreStats } from '../stats.js';
import { closeBroken } from './close-engine.js';
import type { DeviceName, FailedChoice, FallbackSteps } from './fallback-steps.js';
import type { EngineChoice, OpenedEngine } from './open-engine.js';

export interface EngineKeeperOptions {
  /** Opens another engine, with what `deviceMemory` asks for. */
  readonly open: (choice: EngineChoice) => Promise<OpenedEngine>;
  readonly steps: FallbackSteps;
  readonly onNotice: (line: string) => void;
}

export class EngineKeeper implements AsyncDisposable {
  readonly #options: EngineKeeperOptions;
  #engine: OpenedEngine;
  #choice: EngineChoice & { readonly device: DeviceName };
  #past: StoreStats | undefined;
  #closing: Promise<void> | undefined;

  /** @param first of which the keeper takes ownership, as `choice` had it opened */
  constructor(first: OpenedEngine, choice: EngineChoice, options: EngineKeeperOptions) {
    this.#engine = first;
    this.#choice = { device: first.backend.name as DeviceName, deviceMemory: choice.deviceMemory };
    this.#options = options;
  }

  get engine(): OpenedEngine {
    return this.#engine;
  }

  /** What the stores of all engines have read. */
  get storeStats(): StoreStats {
    const { stats: layers, embeddingStats: embedding } = this.#engine.store;
    return addStageStats({ layers, embedding }, this.#past);
  }

  /**
   * Closes the engine, then opens what the steps say until one opens.
   *
   * @throws BackendError of the code of the loss when none does; CoreError `MODEL_CLOSED` when the model is closed meanwhile
   */
  readonly recover = async ({ error, heldDeviceBytes, signal }: EngineLoss): Promise<Engine> => {
    const { open, steps, onNotice } = this.#options;
    const lost = this.#engine;
    const { limitBytes, minimumBytes } = lost.plan.device ?? {};
    const closing = closeBroken(lost);
    this.#closing = closing.then(() => undefined);
    const problem = await closing;
    if (problem !== undefined)
      onNotice(`airllm: device '${this.#choice.device}' was not closed well: ${problem}`);
    let reason: unknown = error;
    let failed: FailedChoice = { ...this.#choice, limitBytes, minimumBytes, heldBytes: heldDeviceBytes };
    for (;;) {
      if (signal.aborted) throw closed();
      const choice = await steps.next(failed, reason);
      if (!choice) throw exhausted(error, reason);
      onNotice(announce(failed, reason, choice));
      try {
        const engine = await open(choice);
        if (signal.aborted) {
          await engine[Symbol.asyncDispose]();
          throw closed();
        }
        this.#past = this.storeStats;
        this.#engine = engine;
        this.#closing = undefined;
        this.#choice = choice;
        onNotice(`airllm: the run goes on with ${engine.backend.description}`);
        return engine;
      } catch (refusal) {
        if (signal.aborted) throw refusal;
        const sameDevice = choice.device === failed.device;
        failed = {
          ...choice,
          limitBytes: choice.deviceMemory?.bytes ?? (sameDevice ? failed.limitBytes : undefined),
          minimumBytes: sameDevice ? failed.minimumBytes : undefined,
          heldBytes: undefined,
        };
        reason = refusal;
      }
    }
  };

  /** Closes the engine that is in use. */
  [Symbol.asyncDispose](): Promise<void> {
    const engine = this.#engine;
    return (this.#closing ??= (async () => engine[Symbol.asyncDispose]())());
  }
}

function announce(failed: FailedChoice, reason: unknown, choice: EngineChoice): string {
  const isSame = choice.device === failed.device;
  const bytes = choice.deviceMemory?.bytes;
  const memory = bytes === undefined ? '' : ` with ${Math.floor(bytes / 1e6)}MB of its memory`;
  const step = isSame ? `opening it again${memory}` : `falling back to device '${choice.device}'`;
  return `airllm: device '${failed.device}' failed: ${oneLine(reason)} — ${step}`;
}

function exhausted(error: AirllmError, reason: unknown): BackendError {
  const code = error.code === 'OUT_OF_DEVICE_MEMORY' ? 'OUT_OF_DEVICE_MEMORY' : 'DEVICE_LOST';
  return new BackendError(
    code,
    `Expected a device to fall back to but none is left: ${oneLine(reason)}. The first failure was: ${oneLine(error)}. Open the model again.`,
    { cause: reason, fields: error.fields },
  );
}

function closed(): CoreError {
  return new CoreError('MODEL_CLOSED', 'The model was closed while another device was opened');
}

function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n').join(' ');
}
