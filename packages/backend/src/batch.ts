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
}

/** The rows of one pass: ragged, in order, each row in exactly one sequence. */
export interface BatchLayout {
  readonly rows: number;
  readonly sequences: readonly SequenceSlice[];
}

/** Keys and values of one layer: per block [kvHeads, KV_BLOCK_TOKENS, headDim] float32, keys and values apart. */
export interface KvLayerShape {
  readonly kvHeads: number;
  readonly headDim: number;
}

export interface KvCacheShape {
  readonly layers: readonly KvLayerShape[];
  /** Blocks in every layer. */
  readonly blocks: number;
}

/** Bytes of a KV cache of this shape (keys and values, float32). */
export function kvCacheByteLength(shape: KvCacheShape): number {
  const perBlock = shape.layers.reduce((sum, layer) => sum + layer.kvHeads * layer.headDim, 0);
  return perBlock * KV_BLOCK_TOKENS * shape.blocks * 2 * 4;
}
