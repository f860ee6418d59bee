// Devices that are lost, or out of memory, at a submission of the test's choice; and a model that goes on with the next.

import { BackendError, type Backend } from '@airllm/backend';
import type { EngineLoss } from '../src/run/engine.js';
import { openModel, type GoldenCase, type OpenModel, type OpenOptions } from './cases.js';

export type LossCode = 'DEVICE_LOST' | 'OUT_OF_DEVICE_MEMORY';

export interface Failure {
  readonly code: LossCode;
  /** Number of the submission that fails, from 0 on; may be set on the way. A device that is lost refuses all that follow. */
  at: number;
}

/** Has a backend fail; returns how many submissions it was given. */
export function failing(backend: Backend, failure: Failure | undefined): () => number {
  let submissions = 0;
  let isLost = false;
  const refuse = (): void => {
    if (isLost) throw new BackendError('DEVICE_LOST', 'The device is gone. Open the backend again.');
  };
  const { submit, createArena, createKvCache } = backend;
  Object.assign(backend, {
    createArena: (...args: Parameters<typeof createArena>) => {
      refuse();
      return createArena.apply(backend, args);
    },
    createKvCache: (...args: Parameters<typeof createKvCache>) => {
      refuse();
      return createKvCache.apply(backend, args);
    },
    submit: async (...args: Parameters<typeof submit>) => {
      const fails = submissions++ === failure?.at;
      if (fails && failure?.code === 'DEVICE_LOST') isLost = true;
      refuse();
      if (fails) throw new BackendError('OUT_OF_DEVICE_MEMORY', 'The device has no room');
      return submit.apply(backend, args);
    },
  });
  return () => submissions;
}

export interface FailingModel extends OpenModel {
  /** Why each engine was lost. */
  readonly losses: EngineLoss[];
  /** The engines, the one in use last. */
  readonly engines: OpenModel[];
  /** Submissions that the first engine was given. */
  readonly submissions: () => number;
}

/**
 * A model whose engines fail one after the other; the one after the last failure does not.
 *
 * @param onRecover called with what is lost, before it is closed
 */
export async function openFailing(
  golden: GoldenCase,
  failures: readonly Failure[],
  options: OpenOptions & { onRecover?: (lost: OpenModel) => void | Promise<void> } = {},
): Promise<FailingModel> {
  const { onRecover, ...others } = options;
  const losses: EngineLoss[] = [];
  const engines: OpenModel[] = [];
  let submissions = (): number => 0;
  const open = async (): Promise<OpenModel> => {
    const opened = await openModel(golden, {
      ...others,
      recover,
      alter: (backend) => {
        const count = failing(backend, failures[engines.length]);
        if (engines.length === 0) submissions = count;
      },
    });
    engines.push(opened);
    return opened;
  };
  const recover = async (loss: EngineLoss): Promise<OpenModel['engine']> => {
    losses.push(loss);
    const lost = engines.at(-1);
    if (lost) await onRecover?.(lost);
    await lost?.[Symbol.asyncDispose]();
    return (await open()).engine;
  };
  const first = await open();
  return {
    ...first,
    losses,
    engines,
    submissions: () => submissions(),
    [Symbol.asyncDispose]: async () => {
      for (const engine of engines) await engine[Symbol.asyncDispose]();
    },
  };
}
