// 4-bit GPTQ and AWQ: `<module>.qweight`, `.qzeros`, `.scales` and GPTQ's `.g_idx` in place of `<module>.weight`. Both are
// stored input-major, [K, N] for a linear [N, K], and have zeros and scales for each group of k, which are read with
// the rows of their group.

import type { WeightRef, WeightSpan } from '@airllm/backend';
import { LayerStoreError } from '../errors.js';
import type { FormatOptions, ResolvedWeight, StoredTensor, TensorTable } from '../resolved-weight.js';
import { companionTensor, wrongShape } from './companion-tensor.js';

const SCALE_DTYPE = { F32: 'f32', F16: 'f16', BF16: 'bf16' } as const;
const SCALE_BYTES = { f32: 4, f16: 2, bf16: 2 } as const;
const WEIGHT = '.weight';

/** Undefined where the checkpoint has no quantized weight of that name. */
export function resolveGrouped(
  ref: WeightRef,
  tensors: TensorTable,
  { shuffledGroups }: FormatOptions,
): ResolvedWeight | undefined {
  if (ref.source || ref.shape.length !== 2 || !ref.name.endsWith(WEIGHT) || tensors.has(ref.name))
    return undefined;
  const module = ref.name.slice(0, -WEIGHT.length);
  const qweight = tensors.get(`${module}.qweight`);
  if (!qweight) return undefined;
  const [outputs = 1, depth = 1] = ref.shape;
  const kind = kindOf(qweight, { outputs, depth });
  const stored = tensors.get(`${module}.scales`);
  const groups = stored?.shape[0] ?? 1;
  const scales = companionTensor(tensors, `${module}.scales`, {
    dtypes: Object.keys(SCALE_DTYPE),
    shape: [groups, outputs],
  });
  const zeros = companionTensor(tensors, `${module}.qzeros`, {
    dtypes: ['I32'],
    shape: [groups, outputs / 8],
  });
  const groupRows = depth / groups;
  if (!Number.isInteger(groupRows)) throw wrongShape(scales, `equal groups of ${depth} rows`);
  const scaleDType = SCALE_DTYPE[scales.dtype as keyof typeof SCALE_DTYPE];
  const order = kind === 'gptq4' ? rowOrder(`${module}.g_idx`, depth, tensors) : undefined;
  const isShuffled = order !== undefined && shuffledGroups;
  // Factors of rows in any order are all of them, whatever the rows.
  const unitRows = isShuffled ? depth : groupRows;
  const unitGroups = isShuffled ? groups : 1;
  const group = { unitElements: unitRows * outputs, first: 0 };
  return {
    name: ref.name,
    dtype: kind,
    rows: depth,
    cols: outputs,
    isVector: false,
    whole: ref.whole ?? false,
    decoded: ref.whole ?? false,
    path: qweight.path,
    byteOffset: qweight.byteOffset,
    byteLength: (depth * outputs) / 2,
    rowBytes: outputs / 2,
    scales: undefined,
    packing: {
      inputMajor: true,
      rowUnit: rowUnitOf(kind, groupRows, isShuffled ? groups : undefined),
      companions: [
        { ...group, ...placeOf(scales), unitBytes: unitGroups * outputs * SCALE_BYTES[scaleDType] },
        { ...group, ...placeOf(zeros), unitBytes: unitGroups * (outputs / 2) },
      ],
      residents: order ? [order] : [],
      open: (resident) => {
        const indices = order && resident(order);
        if (indices) expectGroups(order, indices, isShuffled ? { count: groups } : { rows: groupRows });
        return ([scaleSpan, zeroSpan], rowStart) => {
          if (!scaleSpan || !zeroSpan) return undefined;
          const common = { kind, scales: scaleSpan, scaleDType, zeros: zeroSpan, groupRows };
          if (!indices || !isShuffled) return common;
          const { memory, byteOffset } = indices;
          return {
            ...common,
            rowGroups: { indices: { memory, byteOffset: byteOffset + 4 * rowStart }, count: groups },
          };
        };
      },
    },
  };
}

/** The two put eight values into a word along different axes. */
function kindOf(
  qweight: StoredTensor,
  { outputs, depth }: { outputs: number; depth: number },
): 'gptq4' | 'awq4' {
  const [first, second] = qweight.shape;
  const isWords = qweight.dtype === 'I32' && qweight.shape.length === 2;
  if (isWords && first === depth / 8 && second === outputs) return 'gptq4';
  if (isWords && first === depth && second === outputs / 8) return 'awq4';
  throw wrongShape(qweight, `4-bit words, I32 [${depth / 8}, ${outputs}] or [${depth}, ${outputs / 8}],`);
}

function placeOf({ path, byteOffset }: StoredTensor): { path: string; byteOffset: number } {
  return { path, byteOffset };
}

/** The group of each k, where the checkpoint says it. */
function rowOrder(name: string, depth: number, tensors: TensorTable): StoredTensor | undefined {
  return tensors.has(name) ? companionTensor(tensors, name, { dtypes: ['I32'], shape: [depth] }) : undefined;
}

/**
 * Blocks of rows begin with a group and with a word. Those that come with the factors of all groups are at least as long as these, 5 rows
 * a group: half a byte a weight, two and a half a factor in 16 bits with its zero.
 */
function rowUnitOf(kind: 'gptq4' | 'awq4', groupRows: number, shuffledGroups: number | undefined): number {
  if (shuffledGroups !== undefined) return 8 * Math.ceil((5 * shuffledGroups) / 8);
  return kind === 'gptq4' ? leastCommonMultiple(groupRows, 8) : groupRows;
}

/** The groups that rows are of: any below `count`, or each for `rows` rows, one after the other. */
function expectGroups(
  { name, byteLength }: StoredTensor,
  { memory, byteOffset }: WeightSpan,
  expected: { readonly count: number } | { readonly rows: number },
): void {
  const view = new DataView(memory.bytes.buffer, memory.bytes.byteOffset + byteOffset, byteLength);
  for (let row = 0; row < byteLength / 4; row++) {
    const group = view.getInt32(4 * row, true);
    const isRight =
      'count' in expected ? group >= 0 && group < expected.count : group === Math.floor(row / expected.rows);
    if (isRight) continue;
    const wanted =
      'count' in expected
        ? `groups below ${expected.count}`
        : 'rows in the order of their groups, since config.json names no act-order (desc_act),';
    throw new LayerStoreError(
      'UNSUPPORTED_DTYPE',
      `Expected ${wanted} in ${name} but row ${row} is of group ${group}`,
      { fields: { tensor: name, row, group } },
    );
  }
}

function leastCommonMultiple(a: number, b: number): number {
  let [larger, smaller] = [a, b];
  while (smaller > 0) [larger, smaller] = [smaller, larger % smaller];
  return (a / larger) * b;
}
