// The `dtype` option against the dtype of a checkpoint: weights are used as they are stored.

import { CoreError } from '../errors.js';

export type DtypeOption = 'auto' | 'float32' | 'float16' | 'bfloat16';

/**
 * @param config config.json; `dtype` (transformers 5) or `torch_dtype` says what the weights are
 * @throws {@link CoreError} `NOT_YET` when a conversion is asked for
 */
export function checkDtype(dtype: DtypeOption, config: Readonly<Record<string, unknown>>): void {
  const stored = config['dtype'] ?? config['torch_dtype'] ?? undefined;
  if (dtype === 'auto' || dtype === stored) return;
  throw new CoreError(
    'NOT_YET',
    `Expected dtype 'auto'${typeof stored === 'string' ? ` or '${stored}', the checkpoint's own,` : ''} but received ` +
      `'${dtype}': converting weights is not implemented yet.`,
    { fields: { option: 'dtype', found: dtype, stored } },
  );
}
