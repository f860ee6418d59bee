// Keys and values of one attention layer.

import { KV_BLOCK_TOKENS, type KvLayerShape } from '../batch.js';
import { allocate } from './allocate.js';

/** Keys and values apart, each [blocks, kvHeads, KV_BLOCK_TOKENS, headDim]. */
export class KvLayer {
  readonly keys: Float32Array;
  /** Empty when the layer keeps keys only. */
  readonly values: Float32Array;

  constructor(
    readonly shape: KvLayerShape,
    blocks: number,
  ) {
    const elements = blocks * shape.kvHeads * KV_BLOCK_TOKENS * shape.headDim;
    const valueElements = shape.keysOnly ? 0 : elements;
    this.keys = allocate('key elements', elements, (length) => new Float32Array(length));
    this.values = allocate('value elements', valueElements, (length) => new Float32Array(length));
  }

  /** Index of the first element of `token` of the sequence whose block table is `blocks`. */
  indexOf(blocks: Int32Array, kvHead: number, token: number): number {
    const block = blocks[Math.floor(token / KV_BLOCK_TOKENS)] ?? 0;
    const { kvHeads, headDim } = this.shape;
    return ((block * kvHeads + kvHead) * KV_BLOCK_TOKENS + (token % KV_BLOCK_TOKENS)) * headDim;
  }
}
