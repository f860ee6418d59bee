// How the rows of a pass belong to sequences, and where each sequence's keys and values live.

/** Tokens held by one block of a KV cache. */
export const KV_BLOCK_TOKENS = 16;

/** A run of consecutive tokens of one sequence inside a pass. */
export interface SequenceSlice {
  /** First row of the pass that belongs to this sequence. */
  readonly rowStart: number;
  readonly rowCount: number;
  /** Tokens of this sequence already in the KV cache; the first row has this position. */
  readonly past: number;
  /** Block numbers of the KV cache, in order: token t lies in block `blocks[t / KV_BLOCK_TOKENS | 0]`. */
  readonly blocks: Int32Array;
  /** Number of the sequence's recurrent state, below the cache's `slots`; no two sequences of a pass share one. */
  readonly slot: number;
}

/** The rows of one pass: ragged, in order, each row in exactly one sequence. */
export interface BatchLayout {
  readonly rows: number;
  readonly sequences: readonly SequenceSlice[];
}

/** Keys and values of one layer: per block [kvHeads, KV_BLOCK_TOKENS, headDim] float32, keys and values apart. */
export interface KvLayerShape {
  readonly kind: 'attention';
  readonly kvHeads: number;
  readonly headDim: number;
  /** No values are kept: they are made of the keys (latent attention). */
  readonly keysOnly: boolean;
}

/**
 * What a linear-attention layer remembers of a sequence, whatever its length: the last `convWidth − 1` inputs of its
 * convolution [convWidth − 1, convChannels] and the state [heads, keyDim, valueDim], float32. Zeros before the
 * sequence's first row (past = 0).
 */
export interface RecurrentLayerShape {
  readonly kind: 'recurrent';
  readonly convChannels: number;
  readonly convWidth: number;
  readonly heads: number;
  readonly keyDim: number;
  readonly valueDim: number;
}

export type CacheLayerShape = KvLayerShape | RecurrentLayerShape;

export interface KvCacheShape {
  readonly layers: readonly CacheLayerShape[];
  /** Blocks in every attention layer. */
  readonly blocks: number;
  /** Sequences with a recurrent state. */
  readonly slots: number;
}

/** Float32 values of one layer's cache: keys, then values; or per slot the convolution's inputs, then the state. */
export function cacheLayerElements(
  layer: CacheLayerShape,
  { blocks, slots }: Pick<KvCacheShape, 'blocks' | 'slots'>,
): number {
  switch (layer.kind) {
    case 'attention':
      return layer.kvHeads * layer.headDim * KV_BLOCK_TOKENS * blocks * (layer.keysOnly ? 1 : 2);
    case 'recurrent':
      return (
        slots * ((layer.convWidth - 1) * layer.convChannels + layer.heads * layer.keyDim * layer.valueDim)
      );
  }
}

/** Bytes of a cache of this shape. */
export function kvCacheByteLength(shape: KvCacheShape): number {
  return shape.layers.reduce((sum, layer) => sum + cacheLayerElements(layer, shape) * 4, 0);
}
