// The JSON that bitsandbytes keeps beside a 4-bit weight: checked against what the headers say, since only the offset
// of quantized factors and the length of their blocks stand nowhere else.

import { LayerStoreError } from '../errors.js';

export interface ExpectedState {
  readonly name: string;
  /** Of the weight. */
  readonly shape: readonly number[];
  /** Where there is more than one block. */
  readonly blockLength: number;
  readonly factors: number;
  /** Undefined where the factors are not quantized. */
  readonly nestedFactors: number | undefined;
}

export interface NestedState {
  readonly blockLength: number;
  readonly offset: number;
}

/**
 * @returns how factors are quantized, if they are
 * @throws LayerStoreError `UNSUPPORTED_DTYPE` naming the tensor and the field
 */
export function readBitsandbytesState(bytes: Uint8Array, expected: ExpectedState): NestedState | undefined {
  const { name, shape, blockLength, factors, nestedFactors } = expected;
  const state = parse(bytes, name);
  const refuse = (field: string, wanted: string): LayerStoreError =>
    new LayerStoreError(
      'UNSUPPORTED_DTYPE',
      `Expected ${field} ${wanted} in ${name} but found ${JSON.stringify(state[field])}`,
      { fields: { tensor: name, field, found: state[field] } },
    );
  if (JSON.stringify(state['shape']) !== JSON.stringify(shape)) throw refuse('shape', JSON.stringify(shape));
  if (factors > 1 && state['blocksize'] !== blockLength) throw refuse('blocksize', String(blockLength));
  if (nestedFactors === undefined) return undefined;
  const { nested_blocksize: length, nested_offset: offset } = state;
  if (
    typeof length !== 'number' ||
    !Number.isSafeInteger(length) ||
    Math.ceil(factors / length) !== nestedFactors
  ) {
    throw refuse('nested_blocksize', `that makes ${nestedFactors} blocks of ${factors} factors`);
  }
  if (typeof offset !== 'number' || !Number.isFinite(offset)) throw refuse('nested_offset', 'to be a number');
  return { blockLength: length, offset: Math.fround(offset) };
}

function parse(bytes: Uint8Array, name: string): Readonly<Record<string, unknown>> {
  try {
    const state: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof state === 'object' && state !== null) return state as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new LayerStoreError('UNSUPPORTED_DTYPE', `Expected a JSON object in ${name} but found other bytes`, {
    fields: { tensor: name },
  });
}
