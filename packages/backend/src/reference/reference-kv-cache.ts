// Keys and values of the reference backend, in the layout and precision the contract names.

import type { KvCache } from '../backend.js';
import { KV_BLOCK_TOKENS, kvCacheByteLength, type KvCacheShape, type KvLayerShape } from '../batch.js';
import { BackendError } from '../errors.js';
import { allocate } from './allocate.js';

/** One layer: keys and values apart, each [blocks, kvHeads, KV_BLOCK_TOKENS, headDim]. */
export class KvLayer {
  readonly keys: Float32Array;
  readonly values: Float32Array;

  constructor(
    readonly shape: KvLayerShape,
    blocks: number,
  ) {
    const elements = blocks * shape.kvHeads * KV_BLOCK_TOKENS * shape.headDim;
    this.keys = allocate('key elements', elements, (length) => new Float32Array(length));
    this.values = allocate('value elements', elements, (length) => new Float32Array(length));
  }

  /** Index of the first element of `token` of the sequence whose block table is `blocks`. */
  indexOf(blocks: Int32Array, kvHead: number, token: number): number {
    const block = blocks[Math.floor(token / KV_BLOCK_TOKENS)] ?? 0;
    const { kvHeads, headDim } = this.shape;
    return ((block * kvHeads + kvHead) * KV_BLOCK_TOKENS + (token % KV_BLOCK_TOKENS)) * headDim;
  }
}

export class ReferenceKvCache implements KvCache {
  readonly byteLength: number;
  #layers: KvLayer[] | undefined;

  constructor(readonly shape: KvCacheShape) {
    this.byteLength = kvCacheByteLength(shape);
    this.#layers = shape.layers.map((layer) => new KvLayer(layer, shape.blocks));
  }

  layer(index: number): KvLayer {
    const layer = this.#layers?.[index];
    if (!layer) {
      throw new BackendError(
        'INVALID_OPERAND',
        `Expected a KV cache with layer ${index} but it has ${this.#layers?.length ?? 'been disposed'}`,
      );
    }
    return layer;
  }

  dispose(): void {
    this.#layers = undefined;
  }
}
