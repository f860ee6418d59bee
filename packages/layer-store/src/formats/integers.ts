// Symmetric integers of layer shards: `<name>` I8 [.., cols] with `<name>.int8.scales`, or U8 [.., cols / 2] of two
// nibbles with `<name>.int4.scales`; scales are F32 [.., ceil(cols / 128)].

import type { WeightRef } from '@airllm/backend';
import { LayerStoreError } from '../errors.js';
import type { ResolvedWeight, TensorTable } from '../resolved-weight.js';
import { companionMatrix } from './companion-tensor.js';
import { rowWeight } from './row-factors.js';
import { asMatrix, storedRun, type StoredRun } from './stored-run.js';

const GROUP_COLS = 128;

/** Undefined where the checkpoint has no scales of that name. */
export function resolveIntegers(ref: WeightRef, tensors: TensorTable): ResolvedWeight | undefined {
  const run = storedRun(ref);
  const kind = (['int8', 'int4'] as const).find((format) => tensors.has(`${run.tensor}.${format}.scales`));
  if (!kind) return undefined;
  const { rows, cols } = asMatrix(run.shape);
  const groups = Math.ceil(cols / GROUP_COLS);
  const data =
    kind === 'int8'
      ? companionMatrix(tensors, run.tensor, { dtypes: ['I8'], rows, cols })
      : companionMatrix(tensors, run.tensor, { dtypes: ['U8'], rows, cols: evenCols(run) / 2 });
  const scales = companionMatrix(tensors, `${run.tensor}.${kind}.scales`, {
    dtypes: ['F32'],
    rows,
    cols: groups,
  });
  return rowWeight(ref, run, {
    dtype: kind,
    format: kind,
    data,
    companions: [{ tensor: scales, rowBytes: 4 * groups }],
    bind: ([span]) => span && { kind, scales: span, groupCols: GROUP_COLS },
  });
}

function evenCols({ tensor, shape }: StoredRun): number {
  const { cols } = asMatrix(shape);
  if (cols % 2 === 0) return cols;
  throw new LayerStoreError(
    'WRONG_SHAPE',
    `Expected rows of an even number of values for ${tensor} in int4 but they have ${cols}`,
    { fields: { tensor, cols } },
  );
}
