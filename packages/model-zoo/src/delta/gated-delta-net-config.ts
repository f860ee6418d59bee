// The sizes of a gated delta net.

export interface GatedDeltaNetConfig {
  readonly keyHeads: number;
  /** A multiple of `keyHeads`. */
  readonly valueHeads: number;
  readonly keyDim: number;
  readonly valueDim: number;
  readonly convWidth: number;
  readonly normEps: number;
  /** `grouped`: q, k, v and z in one matrix by key head, b and a in another (Qwen3-Next). `apart`: Qwen3.5. */
  readonly inputs: 'grouped' | 'apart';
}

/** Columns of q, k and v together. */
export function convChannels({ keyHeads, valueHeads, keyDim, valueDim }: GatedDeltaNetConfig): number {
  return 2 * keyHeads * keyDim + valueHeads * valueDim;
}
