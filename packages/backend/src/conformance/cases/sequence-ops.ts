// The ops that mix the rows of a sequence, with random weights, for `sequenceScenario`.

import type { ElementDType } from '../../dtype.js';
import { PLAIN_ATTENTION } from '../commands.js';
import { Random } from '../random.js';
import type { SequenceOp } from './sequence-scenario.js';

export interface AttentionShape {
  heads: number;
  kvHeads: number;
  headDim: number;
  window?: number;
  chunk?: number;
  softcap?: number;
  /** Format of random sinks; no sinks when undefined. */
  sinks?: ElementDType;
  alibiSlopes?: readonly number[];
  /** Standard deviation of queries and keys; 1 unless told. */
  magnitude?: number;
}

/** A token is q, k and v. */
export function attentionOp(shape: AttentionShape): SequenceOp {
  const { magnitude = 1, sinks, ...options } = shape;
  const { heads, kvHeads, headDim } = shape;
  const width = (heads + 2 * kvHeads) * headDim;
  const valuesStart = (heads + kvHeads) * headDim;
  return {
    op: 'attention',
    layer: { kind: 'attention', kvHeads, headDim, keysOnly: false },
    width,
    outWidth: heads * headDim,
    tokens: (random, count) =>
      random.normals(count * width).map((x, i) => (i % width < valuesStart ? x * magnitude : x)),
    command: (bench, { layer, x, out }) => ({
      op: 'attention',
      layer,
      q: x.columns(0, heads * headDim),
      k: x.columns(heads * headDim, kvHeads * headDim),
      v: x.columns(valuesStart, kvHeads * headDim),
      out,
      scale: 1 / Math.sqrt(headDim),
      ...PLAIN_ATTENTION,
      ...options,
      sinks:
        sinks && bench.weight(sinks, [1, heads], { data: new Random(heads).normals(heads), byteOffset: 1 }),
    }),
  };
}

export interface LatentShape {
  heads: number;
  rank: number;
  nopeDim: number;
  ropeDim: number;
  valueDim: number;
}

/** A token is q and its latent. Expanded keys and values have unit variance. */
export function latentAttentionOp(shape: LatentShape, dtype: ElementDType): SequenceOp {
  const { heads, rank, nopeDim, ropeDim, valueDim } = shape;
  const queryWidth = heads * (nopeDim + ropeDim);
  const kvRows = heads * (nopeDim + valueDim);
  return {
    op: 'latentAttention',
    layer: { kind: 'attention', kvHeads: 1, headDim: rank + ropeDim, keysOnly: true },
    width: queryWidth + rank + ropeDim,
    outWidth: heads * valueDim,
    command: (bench, { layer, x, out }) => ({
      op: 'latentAttention',
      layer,
      q: x.columns(0, queryWidth),
      latent: x.columns(queryWidth, rank + ropeDim),
      kvB: bench.weight(dtype, [kvRows, rank], {
        data: new Random(rank).normals(kvRows * rank, 1 / Math.sqrt(rank)),
        byteOffset: 1,
      }),
      out,
      scale: 1 / Math.sqrt(nopeDim + ropeDim),
      ...shape,
    }),
  };
}

export interface ConvShape {
  channels: number;
  kernel: number;
  bias?: boolean;
}

export function shortConvOp({ channels, kernel, bias = false }: ConvShape, dtype: ElementDType): SequenceOp {
  return {
    op: 'shortConv',
    layer: { kind: 'recurrent', convChannels: channels, convWidth: kernel, heads: 2, keyDim: 3, valueDim: 4 },
    width: channels,
    outWidth: channels,
    command: (bench, { layer, x, out }) => {
      const random = new Random(channels);
      return {
        op: 'shortConv',
        layer,
        x,
        weight: bench.weight(dtype, [channels, kernel], {
          data: random.normals(channels * kernel),
          byteOffset: 3,
        }),
        bias: bias ? bench.weight(dtype, [1, channels], { data: random.normals(channels) }) : undefined,
        out,
      };
    },
  };
}

export interface DeltaShape {
  keyHeads: number;
  valueHeads: number;
  keyDim: number;
  valueDim: number;
}

/** A token is q, k, v, a and b. Decays reach from nearly none to nearly everything at once. */
export function gatedDeltaOp(shape: DeltaShape, dtype: ElementDType): SequenceOp {
  const { keyHeads, valueHeads, keyDim, valueDim } = shape;
  const keys = keyHeads * keyDim;
  const values = valueHeads * valueDim;
  return {
    op: 'gatedDelta',
    layer: { kind: 'recurrent', convChannels: 5, convWidth: 3, heads: valueHeads, keyDim, valueDim },
    width: 2 * keys + values + 2 * valueHeads,
    outWidth: values,
    command: (bench, { layer, x, out }) => {
      const random = new Random(valueHeads);
      const vector = (deviation: number) =>
        bench.weight(dtype, [1, valueHeads], { data: random.normals(valueHeads, deviation), byteOffset: 1 });
      return {
        op: 'gatedDelta',
        layer,
        q: x.columns(0, keys),
        k: x.columns(keys, keys),
        v: x.columns(2 * keys, values),
        a: x.columns(2 * keys + values, valueHeads),
        b: x.columns(2 * keys + values + valueHeads, valueHeads),
        aLog: vector(2),
        dtBias: vector(1),
        out,
        ...shape,
      };
    },
  };
}
