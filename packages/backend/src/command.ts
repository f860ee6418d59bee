// The ops, as data. A command names its operands; W is `WeightRef` while recorded and `WeightSlice`
// when submitted. All arithmetic accumulates in float32 or better.

import type { Tensor } from './tensor.js';

export type Activation = 'silu' | 'gelu' | 'gelu-tanh';

/** out[i, :] = table[ids[i], :]. `out` is [ids.length, cols]. */
export interface EmbeddingCommand<W> {
  readonly op: 'embedding';
  readonly table: W;
  readonly ids: Uint32Array;
  readonly out: Tensor;
}

/**
 * Each group of `weight.length` columns of each row is divided by its root mean square and multiplied by
 * `weight`: out = x / sqrt(mean(x²) + eps) * weight. One group is RMSNorm; several are a per-head norm.
 * `x` and `out` may be the same tensor.
 */
export interface RmsNormCommand<W> {
  readonly op: 'rmsNorm';
  readonly x: Tensor;
  readonly weight: W;
  readonly eps: number;
  readonly out: Tensor;
}

/**
 * out[t, n] = Σₖ x[t, k] · weight[n, k] (+ bias[n]); x [T, K], weight [N, K], out [T, N].
 * The sum over k has one order whatever T is, so that a row does not depend on its batch.
 * `x` and `out` must not overlap.
 */
export interface LinearCommand<W> {
  readonly op: 'linear';
  readonly x: Tensor;
  readonly weight: W;
  readonly bias: W | undefined;
  readonly out: Tensor;
}

/**
 * Rotates the first `rotaryDim` columns of every head of `x` [T, heads · headDim] in place by the angles
 * whose cosines and sines are in `cos`, `sin` [T, rotaryDim / 2]. `half` pairs column i with
 * i + rotaryDim / 2 (Llama), `interleaved` pairs 2i with 2i + 1 (GPT-J, ChatGLM).
 */
export interface RopeCommand {
  readonly op: 'rope';
  readonly x: Tensor;
  readonly cos: Tensor;
  readonly sin: Tensor;
  readonly headDim: number;
  readonly rotaryDim: number;
  readonly style: 'half' | 'interleaved';
}

/**
 * Appends k, v [T, kvHeads · headDim] to the KV cache of `layer`, then for every row and head attends to the
 * keys of the row's own sequence up to its own position: softmax(scale · q·kᵀ) · v.
 * q, out [T, heads · headDim]; head h uses key head floor(h / (heads / kvHeads)).
 * With `window` = w a row at position p sees positions p − w + 1 … p only.
 */
export interface AttentionCommand {
  readonly op: 'attention';
  readonly layer: number;
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly out: Tensor;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly scale: number;
  readonly window: number | undefined;
}

/** out = activation(gate) ⊙ up, all [T, N]; `out` may be `gate` or `up`. */
export interface GluCommand {
  readonly op: 'glu';
  readonly gate: Tensor;
  readonly up: Tensor;
  readonly activation: Activation;
  readonly out: Tensor;
}

/** x += y, both [T, N]. */
export interface AccumulateCommand {
  readonly op: 'accumulate';
  readonly x: Tensor;
  readonly y: Tensor;
}

/** x = value everywhere. */
export interface FillCommand {
  readonly op: 'fill';
  readonly x: Tensor;
  readonly value: number;
}

/** out[i, :] = x[indices[i], :]. */
export interface GatherRowsCommand {
  readonly op: 'gatherRows';
  readonly x: Tensor;
  readonly indices: Uint32Array;
  readonly out: Tensor;
}

/** out[indices[i], :] += scales[i] · x[i, :]. An index may repeat. */
export interface ScatterAddRowsCommand {
  readonly op: 'scatterAddRows';
  readonly x: Tensor;
  readonly indices: Uint32Array;
  readonly scales: Float32Array;
  readonly out: Tensor;
}

/** What a backend executes. */
export type Command<W> =
  | EmbeddingCommand<W>
  | RmsNormCommand<W>
  | LinearCommand<W>
  | RopeCommand
  | AttentionCommand
  | GluCommand
  | AccumulateCommand
  | FillCommand
  | GatherRowsCommand
  | ScatterAddRowsCommand;

/** The weights of one expert: a gated MLP. gate, up [I, D], down [D, I]. */
export interface ExpertRef<W> {
  readonly gate: W;
  readonly up: W;
  readonly down: W;
}

/** How router logits become expert weights. */
export interface RoutingRule {
  readonly topK: number;
  /** Divide the chosen probabilities by their sum. */
  readonly normalizeTopK: boolean;
}

/**
 * A routed mixture of experts. Not executed by backends: whoever runs the program reads `logits` back,
 * routes on the host, and issues gatherRows, linear, glu and scatterAddRows for the experts named, so that
 * no other expert's weights are ever needed.
 * x, out [T, D]; logits [T, E]; the scratch tensors have T rows.
 */
export interface ExpertsCommand<W> {
  readonly op: 'experts';
  readonly x: Tensor;
  readonly logits: Tensor;
  readonly out: Tensor;
  readonly routing: RoutingRule;
  readonly activation: Activation;
  readonly experts: readonly ExpertRef<W>[];
  readonly scratch: { readonly x: Tensor; readonly gate: Tensor; readonly up: Tensor; readonly out: Tensor };
}

/** What a model definition records: device commands, and mixtures to be lowered. */
export type RecordedCommand<W> = Command<W> | ExpertsCommand<W>;
