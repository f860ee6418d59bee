// Names and shapes the weights of one layer, so that parts of a layer know stems only.

import type { Recorder, Tensor, WeightRef } from '@airllm/backend';

/** A matrix [out, in] and its bias [out]. */
export interface Projection {
  readonly weight: WeightRef;
  readonly bias: WeightRef | undefined;
}

/** Weights below one prefix: `model.layers.3.` */
export class LayerScope {
  constructor(readonly prefix: string) {}

  /** The tensor called exactly `prefix + name`. */
  tensor(name: string, shape: readonly number[]): WeightRef {
    return { name: `${this.prefix}${name}`, shape };
  }

  /** `<stem>.weight` [length]. */
  vector(stem: string, length: number): WeightRef {
    return this.tensor(`${stem}.weight`, [length]);
  }

  /** `<stem>.weight` [rows, cols]. */
  matrix(stem: string, rows: number, cols: number): WeightRef {
    return this.tensor(`${stem}.weight`, [rows, cols]);
  }

  /** `<stem>.bias` [length]. */
  bias(stem: string, length: number): WeightRef {
    return this.tensor(`${stem}.bias`, [length]);
  }

  /** `<stem>.weight` [rows, cols] with `<stem>.bias` [rows] where `biased`. */
  projection(stem: string, [rows, cols]: readonly [number, number], biased: boolean): Projection {
    return { weight: this.matrix(stem, rows, cols), bias: biased ? this.bias(stem, rows) : undefined };
  }
}

/** [T, in] → [T, out]. */
export function project(rec: Recorder, x: Tensor, { weight, bias }: Projection): Tensor {
  return rec.linear(x, weight, { bias });
}
