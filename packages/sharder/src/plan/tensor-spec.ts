// A tensor or plane as safetensors-js writes it into a header.

import { isDtype, tensorByteLength, type TensorSpec } from 'safetensors-js';
import { ShardError } from '../errors.js';

export interface SizedSpec extends TensorSpec {
  readonly byteLength: number;
}

/** @throws ShardError `UNSUPPORTED_DTYPE` for dtypes that safetensors has no name for */
export function toSpec(tensor: {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}): SizedSpec {
  const { name, dtype, shape } = tensor;
  if (isDtype(dtype)) return { name, dtype, shape, byteLength: tensorByteLength(dtype, shape) };
  throw new ShardError(
    'UNSUPPORTED_DTYPE',
    `Expected a dtype of safetensors for ${name} but found ${dtype}. Weights of this format are run from their own file.`,
    { fields: { tensor: name, dtype } },
  );
}
