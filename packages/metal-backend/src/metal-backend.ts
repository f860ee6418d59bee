// A WebGPU backend under the name of Metal, whose memory is the host's too.

import type {
  Arena,
  Backend,
  DeviceMemory,
  KvCache,
  KvCacheShape,
  Submission,
  SubmissionResult,
  WeightMemory,
} from '@airllm/backend';

export class MetalBackend implements Backend {
  readonly name = 'metal';
  readonly description: string;
  readonly dtypes: Backend['dtypes'];
  readonly deviceMemory?: DeviceMemory;
  readonly #webgpu: Backend;

  constructor(webgpu: Backend, { sharesHostMemory }: { sharesHostMemory: boolean }) {
    this.#webgpu = webgpu;
    this.description = webgpu.description.replace(/^WebGPU/, 'Metal');
    this.dtypes = webgpu.dtypes;
    const { deviceMemory } = webgpu;
    if (!deviceMemory) return;
    this.deviceMemory = {
      limitBytes: deviceMemory.limitBytes,
      stagingBytes: deviceMemory.stagingBytes,
      sharesHostMemory,
      get usedBytes() {
        return deviceMemory.usedBytes;
      },
      pin: (memory) => deviceMemory.pin(memory),
    };
  }

  allocateWeights(byteLength: number): WeightMemory {
    return this.#webgpu.allocateWeights(byteLength);
  }

  createArena(elements: number): Arena {
    return this.#webgpu.createArena(elements);
  }

  createKvCache(shape: KvCacheShape): KvCache {
    return this.#webgpu.createKvCache(shape);
  }

  submit(submission: Submission): Promise<SubmissionResult> {
    return this.#webgpu.submit(submission);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#webgpu[Symbol.asyncDispose]());
  }
}
