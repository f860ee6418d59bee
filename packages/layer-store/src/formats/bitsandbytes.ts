// 4-bit weights of bitsandbytes (NF4, FP4) as transformers saves them: `<name>` bytes of two codes, `.absmax` per block,
// `.quant_map` with the 16 values, `.quant_state.bitsandbytes__nf4|fp4` with JSON; where the factors are quantized too,
// `.absmax` are bytes, and `.nested_absmax`, `.nested_quant_map` and an offset in the JSON undo it. Factors are read with
// their rows; the rest is small and stays.

import type { WeightRef } from '@airllm/backend';
import { LayerStoreError } from '../errors.js';
import { elementsOf, type ResidentSpan, type ResolvedWeight, type TensorTable } from '../resolve-weights.js';
import { readBitsandbytesState } from './bitsandbytes-state.js';
import { companionTensor, wrongShape } from './companion-tensor.js';

const STATES = ['bitsandbytes__nf4', 'bitsandbytes__fp4'];

/** JSON of a few numbers; more is refused before it is read. */
const MOST_STATE_BYTES = 4096;

/** Undefined where the checkpoint has no factors of that name. */
export function resolveBitsandbytes(ref: WeightRef, tensors: TensorTable): ResolvedWeight | undefined {
  const tensor = tensors.get(ref.name);
  const absmax = tensors.get(`${ref.name}.absmax`);
  if (ref.source || tensor?.dtype !== 'U8' || !absmax) return undefined;
  const [rows = 1, cols = 1] = ref.shape;
  const elements = rows * cols;
  if (elementsOf(tensor.shape) !== elements / 2) throw wrongShape(tensor, `U8 [${elements / 2}, 1]`);
  const factors = elementsOf(absmax.shape);
  const blockCols = elements / factors;
  if (!Number.isInteger(blockCols) || blockCols % 2 !== 0 || cols % blockCols !== 0) {
    throw new LayerStoreError(
      'UNSUPPORTED_DTYPE',
      `Expected factors for equal blocks within the rows of ${ref.name} [${rows}, ${cols}] but ${absmax.name} has ${factors}`,
      { fields: { tensor: absmax.name, rows, cols, factors } },
    );
  }
  const isNested = absmax.dtype === 'U8';
  companionTensor(tensors, absmax.name, { dtypes: ['F32', 'U8'], shape: [factors] });
  const floats = (suffix: string, length: number): ResidentSpan =>
    companionTensor(tensors, `${ref.name}.${suffix}`, { dtypes: ['F32'], shape: [length] });
  const stateTensor = tensors.get(
    STATES.map((state) => `${ref.name}.quant_state.${state}`).find((name) => tensors.has(name)) ??
      `${ref.name}.quant_state.${STATES.join('|')}`,
  );
  if (!stateTensor || stateTensor.byteLength > MOST_STATE_BYTES) {
    throw new LayerStoreError(
      'MISSING_TENSOR',
      `Expected a tensor ${ref.name}.quant_state.${STATES.join(' or …')} of at most ${MOST_STATE_BYTES} bytes but the checkpoint has ${stateTensor ? stateTensor.byteLength : 'none'}`,
      { fields: { tensor: ref.name } },
    );
  }
  const codes = floats('quant_map', 16);
  const nestedAbsmax = isNested ? tensors.get(`${ref.name}.nested_absmax`) : undefined;
  const nested = isNested && {
    codes: floats('nested_quant_map', 256),
    absmax: floats('nested_absmax', nestedAbsmax ? elementsOf(nestedAbsmax.shape) : 1),
  };
  const factorsPerRow = cols / blockCols;
  return {
    name: ref.name,
    dtype: 'code4',
    rows,
    cols,
    isVector: false,
    whole: ref.whole ?? false,
    path: tensor.path,
    byteOffset: tensor.byteOffset,
    byteLength: elements / 2,
    rowBytes: cols / 2,
    scales: undefined,
    packing: {
      inputMajor: false,
      rowUnit: 1,
      companions: [
        {
          path: absmax.path,
          byteOffset: absmax.byteOffset,
          rowBytes: factorsPerRow * (isNested ? 1 : 4),
          rowsEach: 1,
        },
      ],
      residents: [codes, stateTensor, ...(nested ? [nested.codes, nested.absmax] : [])],
      open: (resident) => {
        const { memory, byteOffset } = resident(stateTensor.name);
        const bytes = memory.bytes.subarray(byteOffset, byteOffset + stateTensor.byteLength);
        const nestedFactors = nested && nested.absmax.byteLength / 4;
        const state = readBitsandbytesState(bytes, {
          name: stateTensor.name,
          shape: [rows, cols],
          blockCols,
          factors,
          nestedFactors: nestedFactors || undefined,
        });
        return ([span], rowStart) =>
          span && {
            kind: 'code4',
            codes: resident(codes.name),
            blockLength: blockCols,
            first: 0,
            absmax: span,
            nested:
              nested && state.nested
                ? {
                    codes: resident(nested.codes.name),
                    absmax: resident(nested.absmax.name),
                    ...state.nested,
                    first: rowStart * factorsPerRow,
                  }
                : undefined,
          };
      },
    },
  };
}
