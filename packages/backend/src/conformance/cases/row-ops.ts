// The ops that treat every row by itself, with random weights, for the batch-invariance cases.

import type { Command } from '../../command.js';
import type { ElementDType } from '../../dtype.js';
import type { Tensor } from '../../tensor.js';
import type { WeightSlice } from '../../weight.js';
import { PLAIN_LINEAR } from '../commands.js';
import { Random } from '../random.js';
import type { Workbench } from '../workbench.js';

export interface RowOp {
  readonly name: string;
  readonly op: Command<WeightSlice>['op'];
  readonly widths: readonly number[];
  /** Columns of `x` for each of `width`. Default 1. */
  readonly colsPerWidth?: number;
  /** The same weights on every call; writes to `out`, or to `x` where it has none. */
  readonly command: (bench: Workbench, x: Tensor, width: number) => Command<WeightSlice>;
}

/** Off every vector length, so that the ends of rows lie at every place of a vector. */
const WIDTHS = [1, 37, 100];

const NORM = { weight: undefined, eps: 1e-5 } as const;

export const ROW_OPS: readonly RowOp[] = [
  {
    name: 'rmsNorm',
    op: 'rmsNorm',
    widths: WIDTHS,
    command: (_, x, width) => ({ op: 'rmsNorm', ...NORM, x, groupWidth: width, weightOffset: 0, out: x }),
  },
  {
    name: 'layerNorm',
    op: 'layerNorm',
    widths: WIDTHS,
    command: (_, x, width) => ({ op: 'layerNorm', ...NORM, x, groupWidth: width, bias: undefined, out: x }),
  },
  {
    name: 'glu',
    op: 'glu',
    widths: WIDTHS,
    colsPerWidth: 2,
    command: (bench, x, width) => ({
      op: 'glu',
      gate: x.columns(0, width),
      up: x.columns(width, width),
      activation: 'silu',
      out: bench.tensor(x.rows, width),
    }),
  },
  {
    name: 'clampedGlu',
    op: 'clampedGlu',
    widths: WIDTHS,
    colsPerWidth: 2,
    command: (bench, x, width) => ({
      op: 'clampedGlu',
      x,
      alpha: 1.702,
      limit: 2,
      out: bench.tensor(x.rows, width),
    }),
  },
  {
    name: 'activate',
    op: 'activate',
    widths: WIDTHS,
    command: (_, x) => ({ op: 'activate', x, activation: 'gelu', out: x }),
  },
  {
    name: 'sigmoidGate',
    op: 'sigmoidGate',
    widths: WIDTHS,
    colsPerWidth: 2,
    command: (bench, x, width) => ({
      op: 'sigmoidGate',
      x: x.columns(0, width),
      gate: x.columns(width, width),
      out: bench.tensor(x.rows, width),
    }),
  },
  { name: 'softcap', op: 'softcap', widths: WIDTHS, command: (_, x) => ({ op: 'softcap', x, cap: 2 }) },
];

const N = 37;

/** linear and linearTransposed [K] → [37]. */
export function matrixOps(dtype: ElementDType): RowOp[] {
  const widths = [16, 33, 100, 1000];
  const dataOf = new Map(widths.map((k) => [k, new Random(k + 1).normals(N * k)]));
  const data = (k: number): Float32Array => dataOf.get(k) ?? new Float32Array(N * k);
  return [
    {
      name: `linear ${dtype}`,
      op: 'linear',
      widths,
      command: (bench, x, k) => ({
        op: 'linear',
        x,
        weight: bench.weight(dtype, [N, k], { data: data(k) }),
        ...PLAIN_LINEAR,
        out: bench.tensor(x.rows, N),
      }),
    },
    {
      name: `linear ${dtype} with normalized`,
      op: 'linear',
      widths: [33, 100],
      command: (bench, x, k) => ({
        op: 'linear',
        x,
        weight: bench.weight(dtype, [N, k], { data: data(k) }),
        bias: undefined,
        normalizeRows: true,
        out: bench.tensor(x.rows, N),
      }),
    },
    {
      name: `linearTransposed ${dtype}`,
      op: 'linearTransposed',
      widths: [16, 33, 100],
      command: (bench, x, k) => ({
        op: 'linearTransposed',
        x,
        weight: bench.weight(dtype, [k, N], { data: data(k) }),
        bias: undefined,
        accumulate: false,
        out: bench.tensor(x.rows, N),
      }),
    },
  ];
}
