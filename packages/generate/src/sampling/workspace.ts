// The memory one choice of a token works in, kept from token to token: 20 bytes per vocabulary entry.

/** Scratch arrays for a vocabulary. A choice is synchronous, so all sequences of a process may share one. */
export class SamplingWorkspace {
  /** Logits on their way to probabilities; the first `count` entries belong to the candidates. */
  scores = new Float32Array(0);
  /** The bits of `scores`. */
  scoreBits = new Uint32Array(0);
  /** Token id of each candidate, ascending. */
  ids = new Int32Array(0);
  /** exp((score - best score) / temperature) of each candidate. */
  weights = new Float64Array(0);
  /** How often a token occurs; all zero between uses. */
  counts = new Int32Array(0);

  /** Loads the logits of one position, `[vocabSize]`, which stay untouched. */
  load(logits: Float32Array): void {
    if (this.scores.length !== logits.length) {
      this.scores = new Float32Array(logits.length);
      this.scoreBits = new Uint32Array(this.scores.buffer);
      this.ids = new Int32Array(logits.length);
      this.weights = new Float64Array(logits.length);
      this.counts = new Int32Array(logits.length);
    }
    this.scores.set(logits);
  }
}
