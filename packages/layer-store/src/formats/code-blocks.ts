// Weights as codes into a book of values, with a factor for every so many elements of the tensor, row after row: what the
// formats of bitsandbytes have in common. Blocks know no rows, so a block of rows may begin within one.

import { byteLengthOf, type WeightRef, type WeightSpan } from '@airllm/backend';
import { LayerStoreError } from '../errors.js';
import type { FileSpan, ResolvedWeight, StoredTensor } from '../resolved-weight.js';
import type { NestedState } from './bitsandbytes-state.js';
import type { StoredRun } from './stored-run.js';

export interface CodeTensors {
  readonly dtype: 'code4' | 'code8';
  readonly data: StoredTensor;
  /** float32 values of the codes. */
  readonly codes: StoredTensor;
  /** A float32 for each block; with `nested`, a byte. */
  readonly absmax: StoredTensor;
  readonly blockLength: number;
  /** Of factors that are codes themselves. */
  readonly nested?: { readonly codes: StoredTensor; readonly absmax: StoredTensor } | undefined;
  /** What the checkpoint says of the weight in its own words. */
  readonly state?: { readonly span: FileSpan; read(bytes: Uint8Array): NestedState | undefined } | undefined;
}

/** @throws LayerStoreError `UNSUPPORTED_DTYPE` for a weight that begins within a byte */
export function codeWeight(ref: WeightRef, run: StoredRun, tensors: CodeTensors): ResolvedWeight {
  const { dtype, data, absmax, blockLength } = tensors;
  const { start, rows, cols, isVector } = run;
  const begin = byteLengthOf(dtype, start);
  if (dtype === 'code4' && start % 2 !== 0) {
    throw new LayerStoreError(
      'UNSUPPORTED_DTYPE',
      `Expected ${ref.name} to begin with a byte of ${data.name} but its first 4-bit code is number ${start}`,
      { fields: { tensor: data.name, weight: ref.name, start } },
    );
  }
  const unitBytes = tensors.nested ? 1 : 4;
  const rowBytes = dtype === 'code4' ? cols / 2 : cols;
  return {
    name: ref.name,
    dtype,
    rows,
    cols,
    isVector,
    whole: ref.whole ?? false,
    decoded: isVector || (ref.whole ?? false),
    path: data.path,
    byteOffset: data.byteOffset + begin,
    byteLength: byteLengthOf(dtype, rows * cols),
    rowBytes,
    scales: undefined,
    packing: {
      inputMajor: false,
      rowUnit: Number.isInteger(rowBytes) ? 1 : 2,
      companions: [
        {
          path: absmax.path,
          byteOffset: absmax.byteOffset + Math.floor(start / blockLength) * unitBytes,
          unitBytes,
          unitElements: blockLength,
          first: start % blockLength,
        },
      ],
      residents: residentsOf(tensors),
      open: (resident) => bindCodes(run, tensors, resident),
    },
  };
}

function residentsOf({ codes, nested, state }: CodeTensors): FileSpan[] {
  return [codes, ...(nested ? [nested.codes, nested.absmax] : []), ...(state ? [state.span] : [])];
}

function bindCodes(
  { start, cols }: StoredRun,
  { dtype: kind, codes, blockLength, nested, state }: CodeTensors,
  resident: (span: FileSpan) => WeightSpan,
) {
  const nestedState = state?.read(bytesOf(state.span, resident));
  return ([absmax]: readonly WeightSpan[], rowStart: number) => {
    const element = start + rowStart * cols;
    return (
      absmax && {
        kind,
        codes: resident(codes),
        blockLength,
        first: element % blockLength,
        absmax,
        nested:
          nested && nestedState
            ? {
                codes: resident(nested.codes),
                absmax: resident(nested.absmax),
                ...nestedState,
                first: Math.floor(element / blockLength),
              }
            : undefined,
      }
    );
  };
}

function bytesOf(span: FileSpan, resident: (span: FileSpan) => WeightSpan): Uint8Array {
  const { memory, byteOffset } = resident(span);
  return memory.bytes.subarray(byteOffset, byteOffset + span.byteLength);
}
