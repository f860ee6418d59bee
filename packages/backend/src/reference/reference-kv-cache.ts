// What sequences leave behind in the reference backend, in the precision the contract names.

import type { KvCache } from '../backend.js';
import { kvCacheByteLength, type KvCacheShape } from '../batch.js';
import { BackendError } from '../errors.js';
import { KvLayer } from './kv-layer.js';
import { RecurrentLayer } from './recurrent-layer.js';

export class ReferenceKvCache implements KvCache {
  readonly byteLength: number;
  #layers: (KvLayer | RecurrentLayer)[] | undefined;

  constructor(readonly shape: KvCacheShape) {
    this.byteLength = kvCacheByteLength(shape);
    this.#layers = shape.layers.map((layer) =>
      layer.kind === 'attention' ? new KvLayer(layer, shape.blocks) : new RecurrentLayer(layer, shape.slots),
    );
  }

  attentionLayer(index: number): KvLayer {
    const layer = this.#layers?.[index];
    if (layer instanceof KvLayer) return layer;
    throw this.#missing('keys', index);
  }

  recurrentLayer(index: number): RecurrentLayer {
    const layer = this.#layers?.[index];
    if (layer instanceof RecurrentLayer) return layer;
    throw this.#missing('a recurrent state', index);
  }

  dispose(): void {
    this.#layers = undefined;
  }

  #missing(what: string, index: number): BackendError {
    return new BackendError(
      'INVALID_OPERAND',
      this.#layers
        ? `Expected ${what} in layer ${index} of ${this.#layers.length} of the KV cache`
        : 'Expected a KV cache that is not disposed',
    );
  }
}
