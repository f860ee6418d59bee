// MXFP4 as gpt-oss stores it: `<name>_blocks` [.., rows, cols / 32, 16] and `<name>_scales` [.., rows, cols / 32], bytes
// both. Scales are read with the rows they belong to.

import type { WeightRef } from '@airllm/backend';
import type { ResolvedWeight, TensorTable } from '../resolved-weight.js';
import { companionTensor } from './companion-tensor.js';
import { rowWeight } from './row-factors.js';
import { storedRun } from './stored-run.js';

const BLOCK = 32;

/** Undefined where the checkpoint has no blocks of that name. */
export function resolveMx(ref: WeightRef, tensors: TensorTable): ResolvedWeight | undefined {
  const run = storedRun(ref);
  const { tensor: name, shape } = run;
  if (run.isVector || tensors.has(name) || !tensors.has(`${name}_blocks`)) return undefined;
  const cols = shape.at(-1) ?? 1;
  const grid = [...shape.slice(0, -1), cols / BLOCK];
  const blocks = companionTensor(tensors, `${name}_blocks`, { dtypes: ['U8'], shape: [...grid, 16] });
  const scales = companionTensor(tensors, `${name}_scales`, { dtypes: ['U8'], shape: grid });
  return rowWeight(ref, run, {
    dtype: 'mxfp4',
    format: 'MXFP4',
    data: blocks,
    companions: [{ tensor: scales, rowBytes: cols / BLOCK }],
    bind: ([span]) => span && { kind: 'mxfp4', scales: span },
  });
}
