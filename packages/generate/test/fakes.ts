// A device whose submissions end when the test says so, and leases that know whether they were released.

import type {
  Arena,
  Backend,
  Command,
  KvCache,
  SubmissionResult,
  WeightMemory,
  WeightSlice,
} from '@airllm/backend';
import type { TileLease } from '@airllm/layer-store';
import type { SubmissionContext } from '../src/pass/submitter.js';

/** Lets everything that needs no timer and no disk run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export interface FakeSubmission {
  readonly commands: readonly Command<WeightSlice>[];
  finish(computeSeconds?: number): Promise<void>;
  fail(error: Error): Promise<void>;
}

export class FakeDevice {
  readonly submissions: FakeSubmission[] = [];
  /** End every submission at once. */
  immediate = false;
  logits = new Float32Array();

  readonly backend = {
    submit: ({ commands }: { commands: readonly Command<WeightSlice>[] }): Promise<SubmissionResult> =>
      new Promise((resolve, reject) => {
        if (this.immediate) resolve({ computeSeconds: 0 });
        this.submissions.push({
          commands,
          finish: (computeSeconds = 0) => {
            resolve({ computeSeconds });
            return settled();
          },
          fail: (error) => {
            reject(error);
            return settled();
          },
        });
      }),
  } as unknown as Backend;

  readonly context: SubmissionContext = {
    arena: { read: () => Promise.resolve(this.logits) } as unknown as Arena,
    kvCache: {} as KvCache,
    batch: { rows: 1, sequences: [] },
  };

  /** What was submitted, by op; submissions apart. */
  get ops(): string[][] {
    return this.submissions.map(({ commands }) => commands.map(({ op }) => op));
  }
}

export interface FakeLease extends TileLease {
  releases: number;
}

export function fakeLease(tile: number, streamed = true): FakeLease {
  return {
    tile,
    streamed,
    releases: 0,
    memory: { tile } as unknown as WeightMemory,
    release() {
      this.releases += 1;
    },
  };
}
