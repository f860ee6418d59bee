// Rotary position embedding as the models' configs describe it: frequencies in all published scalings,
// and the cosine and sine tables of a pass. Source: transformers, modeling_rope_utils.py.

/** Rotary embedding of one model. */
export interface Rope {
  readonly rotaryDim: number;
  readonly headDim: number;
  readonly style: 'half' | 'interleaved';
  /**
   * Identifies the frequencies used when the longest position of a forward pass is `sequenceLength - 1` and the
   * sequence began with a prompt of `promptLength` tokens. Constant for most models. Where `restartsOnChange`, keys
   * cached under another variant are invalid and the sequence must be recomputed from its first token (longrope,
   * Qwen 1); otherwise old keys stay as written (dynamic).
   */
  variant(sequenceLength: number, promptLength: number): string;
  readonly restartsOnChange: boolean;
  /**
   * Cosines and sines for one sequence's positions [start, start + count), appended row by row at
   * `row * rotaryDim / 2` of both arrays, in float32 as the reference computes them, attention factor included.
   * `sequenceLength` is the length after the whole forward pass this chunk belongs to, `promptLength` that of the
   * prompt the sequence began with, all chunks of it.
   */
  fill(options: {
    cos: Float32Array;
    sin: Float32Array;
    row: number;
    start: number;
    count: number;
    sequenceLength: number;
    promptLength: number;
  }): void;
}
