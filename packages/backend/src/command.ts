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

/** A norm over groups of `groupWidth` columns of each row; one group as wide as the row is the usual norm. */
export interface NormCommand<W> {
  readonly x: Tensor;
  /** [groupWidth], shared by the groups, or [cols]; when absent there is no factor, and no `weightOffset` either. */
  readonly weight: W | undefined;
  readonly groupWidth: number;
  readonly eps: number;
  /** [T, cols]; may be `x`. */
  readonly out: Tensor;
}

/** RMSNorm (Zhang & Sennrich 2019): out = x / sqrt(mean(x²) + eps) · (weight + weightOffset). */
export interface RmsNormCommand<W> extends NormCommand<W> {
  readonly op: 'rmsNorm';
  /** 1 where the checkpoint stores the weight minus one (Gemma), else 0. */
  readonly weightOffset: 0 | 1;
}

/** LayerNorm (Ba et al. 2016): out = (x − mean) / sqrt(variance + eps) · weight + bias. */
export interface LayerNormCommand<W> extends NormCommand<W> {
  readonly op: 'layerNorm';
  /** [groupWidth] or [cols]. */
  readonly bias: W | undefined;
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
  /** Divide every row of the weight by its length, at least 1e-12 (NormHead of Baichuan 2). No bias then. */
  readonly normalizeRows: boolean;
  readonly out: Tensor;
}

/**
 * The same with a weight that is stored input-major: out[t, n] = Σₖ x[t, k] · weight[k, n] (+ bias[n]);
 * x [T, K], weight [K, N], out [T, N]. The sum starts with the bias and takes k in ascending order; with `accumulate`
 * it goes on from what `out` holds (and bias is absent), so that a weight that comes by blocks of k, the first with
 * the bias, gives the same bits as the whole. `x` and `out` must not overlap.
 */
export interface LinearTransposedCommand<W> {
  readonly op: 'linearTransposed';
  readonly x: Tensor;
  readonly weight: W;
  readonly bias: W | undefined;
  readonly accumulate: boolean;
  readonly out: Tensor;
}

/**
 * Rotates columns [rotaryStart, rotaryStart + rotaryDim) of every head of `x` [T, heads · headDim] in place by the angles
 * whose cosines and sines are in `cos`, `sin` [T, rotaryDim / 2]. `half` pairs column i with
 * i + rotaryDim / 2 (Llama), `interleaved` pairs 2i with 2i + 1 (GPT-J, ChatGLM).
 */
export interface RopeCommand {
  readonly op: 'rope';
  readonly x: Tensor;
  readonly cos: Tensor;
  readonly sin: Tensor;
  readonly headDim: number;
  readonly rotaryStart: number;
  readonly rotaryDim: number;
  readonly style: 'half' | 'interleaved';
}

/**
 * Appends k, v [T, kvHeads · headDim] to the KV cache of `layer`, then for every row and head attends to the
 * keys of the row's own sequence up to its own position: softmax(scale · q·kᵀ) · v.
 * q, out [T, heads · headDim]; head h uses key head floor(h / (heads / kvHeads)).
 * With `window` = w a row at position p sees positions p − w + 1 … p only; with `chunk` = c only those with
 * floor(position / c) = floor(p / c) (Llama 4); with both, those that both allow.
 */
export interface AttentionCommand<W> {
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
  readonly chunk: number | undefined;
  /** Scores become softcap · tanh(score / softcap) before the softmax (Gemma 2). */
  readonly softcap: number | undefined;
  /** [heads]; each takes part in its head's softmax as a score without a value (gpt-oss). */
  readonly sinks: W | undefined;
  /** Per head: slope · (key position − query position) is added to each score (ALiBi, Press et al. 2022), after `softcap`. */
  readonly alibiSlopes: readonly number[] | undefined;
}

/**
 * Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434) over a cache of latents. Appends `latent`
 * [T, rank + ropeDim] (normed compressed keys-values, then the rotated shared key) to the cache of `layer`, whose
 * shape is one head of rank + ropeDim, keysOnly. `kvB` [heads · (nopeDim + valueDim), rank], a whole weight, holds
 * per head the rows that expand a latent to a key, then those that expand it to a value. Per row and head with
 * q = [qNope | qRope]: score(j) = scale · (qNope · kvBₖ · cⱼ + qRope · rⱼ); out = softmax(score) over kvBᵥ · cⱼ.
 * q [T, heads · (nopeDim + ropeDim)], out [T, heads · valueDim].
 */
export interface LatentAttentionCommand<W> {
  readonly op: 'latentAttention';
  readonly layer: number;
  readonly q: Tensor;
  readonly latent: Tensor;
  readonly kvB: W;
  readonly out: Tensor;
  readonly heads: number;
  readonly rank: number;
  readonly nopeDim: number;
  readonly ropeDim: number;
  readonly valueDim: number;
  readonly scale: number;
}

/**
 * Causal depthwise convolution over time, then SiLU: out[t, c] = silu(Σᵢ weight[c, i] · x[t − width + 1 + i, c]
 * (+ bias[c])); rows before the sequence's first are zeros, those of earlier passes come from the recurrent state
 * of `layer`, which is updated. x, out [T, channels], weight [channels, width].
 */
export interface ShortConvCommand<W> {
  readonly op: 'shortConv';
  readonly layer: number;
  readonly x: Tensor;
  readonly weight: W;
  readonly bias: W | undefined;
  readonly out: Tensor;
}

/**
 * Gated delta rule (Yang et al. 2024, arXiv 2412.06464; transformers Qwen3-Next). Per value head h with key head
 * floor(h / (valueHeads / keyHeads)), state S [keyDim, valueDim] in the recurrent state of `layer`, row by row:
 * q, k are divided by sqrt(Σ² + 1e-6), q by sqrt(keyDim) too;
 * g = exp(−exp(aLog[h]) · softplus(a[t, h] + dtBias[h])), β = sigmoid(b[t, h]);
 * S ← g · S; S ← S + k ⊗ β · (v − kᵀS); out = qᵀS.
 * q, k [T, keyHeads · keyDim], v, out [T, valueHeads · valueDim], a, b [T, valueHeads], aLog, dtBias [valueHeads].
 */
export interface GatedDeltaCommand<W> {
  readonly op: 'gatedDelta';
  readonly layer: number;
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly a: Tensor;
  readonly b: Tensor;
  readonly aLog: W;
  readonly dtBias: W;
  readonly out: Tensor;
  readonly keyHeads: number;
  readonly valueHeads: number;
  readonly keyDim: number;
  readonly valueDim: number;
}

/** out = activation(x), [T, N]; `out` may be `x`. */
export interface ActivateCommand {
  readonly op: 'activate';
  readonly x: Tensor;
  readonly activation: Activation;
  readonly out: Tensor;
}

/**
 * gpt-oss' gate: x [T, 2N] holds gate and up in alternating columns; with gate ≤ limit and |up| ≤ limit (clamped),
 * out[t, n] = (up + 1) · gate · sigmoid(alpha · gate), [T, N].
 */
export interface ClampedGluCommand {
  readonly op: 'clampedGlu';
  readonly x: Tensor;
  readonly alpha: number;
  readonly limit: number;
  readonly out: Tensor;
}

/** out = x ⊙ sigmoid(gate); x, out [T, N], gate [T, N] or [T, 1]; `out` may be `x`. */
export interface SigmoidGateCommand {
  readonly op: 'sigmoidGate';
  readonly x: Tensor;
  readonly gate: Tensor;
  readonly out: Tensor;
}

/** x *= value everywhere. */
export interface ScaleCommand {
  readonly op: 'scale';
  readonly x: Tensor;
  readonly value: number;
}

/** x[t, :] *= scales[t, 0]; x [T, N], scales [T, 1]. */
export interface ScaleRowsCommand {
  readonly op: 'scaleRows';
  readonly x: Tensor;
  readonly scales: Tensor;
}

/** x = cap · tanh(x / cap), in place. */
export interface SoftcapCommand {
  readonly op: 'softcap';
  readonly x: Tensor;
  readonly cap: number;
}

/** out[t, g · count + j] = x[t, g · groupWidth + start + j]: takes fused projections apart that alternate by head. */
export interface UngroupCommand {
  readonly op: 'ungroup';
  readonly x: Tensor;
  readonly groupWidth: number;
  readonly start: number;
  readonly count: number;
  readonly out: Tensor;
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

/** out[i, :] = x[indices[i], :], times scales[i] where there are scales. */
export interface GatherRowsCommand {
  readonly op: 'gatherRows';
  readonly x: Tensor;
  readonly indices: Uint32Array;
  readonly scales?: Float32Array | undefined;
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
  | LayerNormCommand<W>
  | LinearCommand<W>
  | LinearTransposedCommand<W>
  | RopeCommand
  | AttentionCommand<W>
  | LatentAttentionCommand<W>
  | ShortConvCommand<W>
  | GatedDeltaCommand<W>
  | GluCommand
  | ClampedGluCommand
  | ActivateCommand
  | SigmoidGateCommand
  | SoftcapCommand
  | ScaleCommand
  | ScaleRowsCommand
  | AccumulateCommand
  | FillCommand
  | UngroupCommand
  | GatherRowsCommand
  | ScatterAddRowsCommand;
