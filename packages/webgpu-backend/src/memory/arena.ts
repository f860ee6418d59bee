// Activations on the device, and their way there and back.

import { BackendError, type Arena, type Tensor } from '@airllm/backend';
import { checkTensor, checkWrite } from '@airllm/backend/reference';
import { MAP_READ, USAGE } from '../gpu/dawn.js';
import type { CountedBuffer, Gpu } from '../gpu/gpu.js';
import type { WorkQueue } from '../work-queue.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

export class WebGpuArena implements Arena {
  readonly byteLength: number;
  readonly #gpu: Gpu;
  readonly #queue: WorkQueue;
  #owned: CountedBuffer | undefined;

  constructor(
    readonly elements: number,
    { gpu, queue }: { gpu: Gpu; queue: WorkQueue },
  ) {
    this.#owned = gpu.createBuffer('an arena', elements * FLOAT);
    this.byteLength = elements * FLOAT;
    this.#gpu = gpu;
    this.#queue = queue;
  }

  get buffer(): GPUBuffer {
    return this.#expectOwned().buffer;
  }

  /** @throws BackendError `OUT_OF_DEVICE_MEMORY` when the device turned out to have no room */
  ready(): Promise<void> {
    return this.#expectOwned().ready;
  }

  async write(tensor: Tensor, data: Float32Array): Promise<void> {
    checkWrite(tensor, data, this);
    const copy = Float32Array.from(data);
    return this.#queue.run(async () => {
      await this.ready();
      const { queue } = this.#gpu.device;
      for (const { start, row, count } of runsOf(tensor))
        queue.writeBuffer(this.buffer, start * FLOAT, copy, row * tensor.cols, count);
      return { settled: this.#gpu.finished().then(() => undefined) };
    });
  }

  async read(tensor: Tensor): Promise<Float32Array> {
    checkTensor('read tensor', tensor, this);
    return this.#queue.run(async () => {
      await this.ready();
      return { settled: this.#read(tensor) };
    });
  }

  dispose(): void {
    this.#owned?.destroy();
    this.#owned = undefined;
  }

  /** Copies rows side by side into a buffer that the host can map. */
  async #read(tensor: Tensor): Promise<Float32Array> {
    const { device } = this.#gpu;
    const size = tensor.rows * tensor.cols * FLOAT;
    const target = device.createBuffer({ size, usage: USAGE.mapRead | USAGE.copyDst });
    const encoder = device.createCommandEncoder();
    for (const { start, row, count } of runsOf(tensor)) {
      const targetStart = row * tensor.cols * FLOAT;
      encoder.copyBufferToBuffer(this.buffer, start * FLOAT, target, targetStart, count * FLOAT);
    }
    device.queue.submit([encoder.finish()]);
    try {
      await this.#gpu.orLost(target.mapAsync(MAP_READ));
      return new Float32Array(target.getMappedRange().slice(0));
    } finally {
      target.destroy();
    }
  }

  #expectOwned(): CountedBuffer {
    if (!this.#owned) throw new BackendError('INVALID_OPERAND', 'Expected an arena that is not disposed');
    return this.#owned;
  }
}

/** Runs of elements that lie side by side: a contiguous tensor is one. */
function* runsOf(tensor: Tensor): Generator<{ start: number; row: number; count: number }> {
  const { offset, rows, cols, rowStride, isContiguous } = tensor;
  if (isContiguous) {
    yield { start: offset, row: 0, count: rows * cols };
    return;
  }
  for (let row = 0; row < rows; row++) yield { start: offset + row * rowStride, row, count: cols };
}
