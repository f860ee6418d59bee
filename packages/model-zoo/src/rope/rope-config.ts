// A rotary embedding as data: what every config dialect is reduced to.

/** How the base frequencies are changed. Lengths are in tokens. */
export type RopeScaling =
  | { readonly type: 'default' }
  | { readonly type: 'linear'; readonly factor: number }
  | { readonly type: 'dynamic'; readonly factor: number }
  | {
      /** By the length of the prompt, beyond `trainedLength`; fixed for the whole sequence. */
      readonly type: 'prompt-ntk';
      readonly trainedLength: number;
    }
  | {
      readonly type: 'llama3';
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalMaxPositions: number;
    }
  | {
      readonly type: 'yarn';
      readonly factor: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      /** Round the corrected range to whole dimensions. */
      readonly truncate: boolean;
      /** Multiplies cosines and sines. */
      readonly attentionFactor: number;
      readonly originalMaxPositions: number;
    }
  | {
      readonly type: 'longrope';
      /** One divisor per frequency, for sequences up to and beyond `originalMaxPositions`. */
      readonly shortFactor: readonly number[];
      readonly longFactor: readonly number[];
      readonly attentionFactor: number;
      readonly originalMaxPositions: number;
    };

export interface RopeConfig {
  readonly theta: number;
  readonly headDim: number;
  /** Leading columns of each head that are rotated; even. */
  readonly rotaryDim: number;
  readonly style: 'half' | 'interleaved';
  readonly maxPositions: number;
  readonly scaling: RopeScaling;
}
