// Keys, values and recurrent states on the device: two buffers for each layer, so that no layer is bound by another's size.

import {
  BackendError,
  KV_BLOCK_TOKENS,
  kvCacheByteLength,
  type CacheLayerShape,
  type KvCache,
  type KvCacheShape,
} from '@airllm/backend';
import { checkCacheShape } from '@airllm/backend/reference';
import type { CountedBuffer, Gpu } from '../gpu/gpu.js';

/** Keys and values, or the convolution's inputs and the state. */
export interface CacheLayer {
  readonly first: GPUBuffer;
  readonly second: GPUBuffer;
}

export class WebGpuKvCache implements KvCache {
  readonly byteLength: number;
  #layers: readonly (readonly [first: CountedBuffer, second: CountedBuffer])[] | undefined;

  /** @throws BackendError `INVALID_OPERAND` for sizes that are none, `OUT_OF_DEVICE_MEMORY` with nothing taken */
  constructor(
    readonly shape: KvCacheShape,
    gpu: Gpu,
  ) {
    checkCacheShape(shape);
    this.byteLength = kvCacheByteLength(shape);
    const created: CountedBuffer[] = [];
    const create = (elements: number): CountedBuffer => {
      const buffer = gpu.createBuffer('a KV cache', elements * Float32Array.BYTES_PER_ELEMENT);
      created.push(buffer);
      return buffer;
    };
    try {
      this.#layers = shape.layers.map((layer) => {
        const [first, second] = elementsOf(layer, shape);
        return [create(first), create(second)];
      });
    } catch (error) {
      for (const buffer of created) buffer.destroy();
      throw error;
    }
  }

  layer(index: number): CacheLayer {
    const layer = this.#layers?.[index];
    if (!layer) throw new BackendError('INVALID_OPERAND', 'Expected a KV cache that is not disposed');
    return { first: layer[0].buffer, second: layer[1].buffer };
  }

  /** @throws BackendError `OUT_OF_DEVICE_MEMORY` when the device turned out to have no room */
  async ready(): Promise<void> {
    await Promise.all((this.#layers ?? []).flat().map(({ ready }) => ready));
  }

  dispose(): void {
    for (const buffer of this.#layers?.flat() ?? []) buffer.destroy();
    this.#layers = undefined;
  }
}

function elementsOf(
  layer: CacheLayerShape,
  { blocks, slots }: KvCacheShape,
): [first: number, second: number] {
  switch (layer.kind) {
    case 'attention': {
      const elements = layer.kvHeads * layer.headDim * KV_BLOCK_TOKENS * blocks;
      return [elements, layer.keysOnly ? 0 : elements];
    }
    case 'recurrent':
      return [
        slots * (layer.convWidth - 1) * layer.convChannels,
        slots * layer.heads * layer.keyDim * layer.valueDim,
      ];
  }
}
