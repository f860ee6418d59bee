// 4-bit weights of bitsandbytes (NF4, FP4): `<name>` bytes of two codes, and beside it, under `<name>.` as transformers saves
// them or under `<name>.4bit.` as layer shards do: `absmax` per block, `quant_map` with the 16 values,
// `quant_state.bitsandbytes__nf4|fp4` with JSON; where the factors are quantized too, `absmax` are bytes, and
// `nested_absmax`, `nested_quant_map` and an offset in the JSON undo it.

import type { WeightRef } from '@airllm/backend';
import { LayerStoreError } from '../errors.js';
import type { ResolvedWeight, StoredTensor, TensorTable } from '../resolved-weight.js';
import { readBitsandbytesState } from './bitsandbytes-state.js';
import { codeWeight } from './code-blocks.js';
import { companionTensor, wrongShape } from './companion-tensor.js';
import { elementsOf, storedRun } from './stored-run.js';

/** What stands between a weight's name and those of its companions. */
const INFIXES = ['', '.4bit'];
const STATES = ['bitsandbytes__nf4', 'bitsandbytes__fp4'];

/** JSON of a few numbers; more is refused before it is read. */
const MOST_STATE_BYTES = 4096;
/** Elements of a block, a power of two. */
const LONGEST_BLOCK = 2 ** 16;

/** Undefined where the checkpoint has no factors of that name. */
export function resolveBitsandbytes4Bit(ref: WeightRef, tensors: TensorTable): ResolvedWeight | undefined {
  const run = storedRun(ref);
  const data = tensors.get(run.tensor);
  const prefix = INFIXES.map((infix) => `${run.tensor}${infix}`).find((name) =>
    tensors.has(`${name}.absmax`),
  );
  if (data?.dtype !== 'U8' || prefix === undefined) return undefined;
  const elements = elementsOf(run.shape);
  const bytes = Math.ceil(elements / 2);
  if (elementsOf(data.shape) !== bytes) throw wrongShape(data, `U8 [${bytes}, 1]`);
  const factors = elementsOf(tensors.get(`${prefix}.absmax`)?.shape ?? []);
  const absmax = companionTensor(tensors, `${prefix}.absmax`, { dtypes: ['F32', 'U8'], shape: [factors] });
  const floats = (suffix: string, length: number): StoredTensor =>
    companionTensor(tensors, `${prefix}.${suffix}`, { dtypes: ['F32'], shape: [length] });
  const nestedFactors = elementsOf(tensors.get(`${prefix}.nested_absmax`)?.shape ?? []);
  const nested =
    absmax.dtype === 'U8'
      ? { codes: floats('nested_quant_map', 256), absmax: floats('nested_absmax', nestedFactors) }
      : undefined;
  const blockLength = blockLengthOf(elements, absmax);
  const state = findState(prefix, tensors);
  return codeWeight(ref, run, {
    dtype: 'code4',
    data,
    codes: floats('quant_map', 16),
    absmax,
    blockLength,
    nested,
    state: {
      span: state,
      read: (json) =>
        readBitsandbytesState(json, {
          name: state.name,
          shape: run.shape,
          blockLength,
          factors,
          nestedFactors: nested && nestedFactors,
        }),
    },
  });
}

/** The one power of two that cuts the elements into as many blocks as there are factors; any that is long enough for one. */
function blockLengthOf(elements: number, { name, shape }: StoredTensor): number {
  const factors = elementsOf(shape);
  for (let length = 2; length <= LONGEST_BLOCK; length *= 2) {
    if (Math.ceil(elements / length) === factors) return length;
  }
  throw new LayerStoreError(
    'UNSUPPORTED_DTYPE',
    `Expected ${name} to have a factor for each block of ${elements} elements, all of one length that is a power of two up to ${LONGEST_BLOCK}, but it has ${factors}`,
    { fields: { tensor: name, elements, factors } },
  );
}

function findState(prefix: string, tensors: TensorTable): StoredTensor {
  const tensor = STATES.map((state) => tensors.get(`${prefix}.quant_state.${state}`)).find(
    (found) => found !== undefined,
  );
  if (tensor && tensor.byteLength <= MOST_STATE_BYTES) return tensor;
  throw new LayerStoreError(
    'MISSING_TENSOR',
    `Expected a tensor ${prefix}.quant_state.${STATES.join(' or …')} of at most ${MOST_STATE_BYTES} bytes but the checkpoint has ${tensor ? tensor.byteLength : 'none'}`,
    { fields: { tensor: `${prefix}.quant_state` } },
  );
}
