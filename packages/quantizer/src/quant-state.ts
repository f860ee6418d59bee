// The JSON that bitsandbytes keeps beside 4-bit weights (`quant_state.bitsandbytes__nf4`), spelled as Python spells it.

import { BLOCK_LENGTH_4BIT, BLOCK_LENGTH_NESTED, type SourceDType } from './format.js';

/** What the state says of its tensor. */
export interface QuantStateSource {
  readonly dtype: SourceDType;
  readonly shape: readonly number[];
}

const TORCH_NAMES: Readonly<Record<SourceDType, string>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};

/** Longest text of a float32 as a double: sign, 17 digits, point, exponent. */
const OFFSET_CHARS = 24;

/**
 * The state as bytes; `nestedOffset` is there under double quantization. That number's length is not known before the
 * data is, so blanks behind the closing brace, which JSON allows, keep the size.
 */
export function quantStateBytes(source: QuantStateSource, nestedOffset?: number): Uint8Array {
  const text = quantStateText(source, nestedOffset === undefined ? undefined : pythonFloat(nestedOffset));
  return new TextEncoder().encode(text.padEnd(quantStateByteLength(source, nestedOffset !== undefined)));
}

/** Bytes of the state, known from the shape alone. */
export function quantStateByteLength(source: QuantStateSource, nested: boolean): number {
  return quantStateText(source, nested ? '0'.repeat(OFFSET_CHARS) : undefined).length;
}

function quantStateText({ dtype, shape }: QuantStateSource, offset: string | undefined): string {
  const fields = [
    `"quant_type": "nf4"`,
    `"blocksize": ${BLOCK_LENGTH_4BIT}`,
    `"dtype": "${TORCH_NAMES[dtype]}"`,
    `"shape": [${shape.join(', ')}]`,
  ];
  if (offset !== undefined) {
    fields.push(
      `"nested_blocksize": ${BLOCK_LENGTH_NESTED}`,
      `"nested_dtype": "float32"`,
      `"nested_offset": ${offset}`,
    );
  }
  return `{${fields.join(', ')}}`;
}

/** Python reads a number without a point as an integer. */
function pythonFloat(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

export interface QuantState {
  readonly blockLength: number;
  readonly nestedBlockLength: number | undefined;
  readonly nestedOffset: number | undefined;
}

/** Reads a state; undefined when it is not the JSON object it should be. */
export function parseQuantState(bytes: Uint8Array): QuantState | undefined {
  let state: unknown;
  try {
    state = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  if (typeof state !== 'object' || state === null) return undefined;
  const numberAt = (key: string): number | undefined => {
    const value: unknown = Object.entries(state).find(([name]) => name === key)?.[1];
    return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
  };
  const blockLength = numberAt('blocksize');
  if (blockLength === undefined) return undefined;
  return {
    blockLength,
    nestedBlockLength: numberAt('nested_blocksize'),
    nestedOffset: numberAt('nested_offset'),
  };
}
