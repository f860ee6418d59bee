// Tensors to the first bytes of a file: length field, JSON, padding. Pure; the data is written elsewhere.

import type { Dtype } from './dtype.js';
import { isDtype } from './dtype.js';
import { LENGTH_BYTES, MAX_HEADER_BYTES, METADATA_KEY } from './header.js';
import { quote, SafetensorsError } from './safetensors-error.js';
import { tensorByteLength } from './tensor-byte-length.js';

export interface TensorSpec {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

export interface SerializeOptions {
  /** Strings kept in the header. Default: none. */
  readonly metadata?: Readonly<Record<string, string>>;
  /**
   * The data section starts at a multiple of this many bytes: a multiple of 8; 4096 suits direct I/O.
   * Default: 8, as the reference implementation.
   */
  readonly alignData?: number;
}

const MIN_ALIGNMENT = 8;
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Everything that stands before the data: the 8-byte length and the header, padded with spaces.
 * The data must follow in the order of `tensors`, without gaps.
 *
 * @example
 * const head = serializeHeader([{ name: 'w', dtype: 'F32', shape: [2] }], { metadata: { format: 'pt' } });
 * const file = Buffer.concat([head, new Uint8Array(8)]);
 *
 * @throws SafetensorsError `INVALID_TENSOR`, `DUPLICATE_NAME`, `SIZE_OVERFLOW`, `PARTIAL_BYTE`, `HEADER_TOO_LARGE`.
 */
export function serializeHeader(tensors: Iterable<TensorSpec>, options: SerializeOptions = {}): Uint8Array {
  const { metadata = {}, alignData = MIN_ALIGNMENT } = options;
  if (!Number.isSafeInteger(alignData) || alignData < MIN_ALIGNMENT || alignData % MIN_ALIGNMENT !== 0) {
    throw new SafetensorsError(
      'INVALID_TENSOR',
      `Expected alignData to be a multiple of 8 but found ${alignData}.`,
    );
  }
  // Entries are joined by hand: an object would lose a tensor named `__proto__` and reorder numeric names.
  const entries: string[] = [];
  if (Object.keys(metadata).length > 0) entries.push(`"${METADATA_KEY}":${serializeMetadata(metadata)}`);
  const names = new Set<string>();
  let offset = 0;
  for (const { name, dtype, shape } of tensors) {
    checkName(name, names);
    if (!isDtype(dtype)) {
      throw new SafetensorsError(
        'UNKNOWN_DTYPE',
        `Tensor ${quote(name)}: unknown dtype ${quote(String(dtype))}.`,
      );
    }
    const end = offset + tensorByteLength(dtype, shape);
    if (!Number.isSafeInteger(end)) {
      throw new SafetensorsError('SIZE_OVERFLOW', `Tensor ${quote(name)} ends beyond 2^53 bytes.`);
    }
    entries.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [offset, end] })}`);
    offset = end;
  }
  return pad(new TextEncoder().encode(`{${entries.join(',')}}`), alignData);
}

function checkName(name: string, names: Set<string>): void {
  if (name === METADATA_KEY || LONE_SURROGATE.test(name)) {
    throw new SafetensorsError('INVALID_TENSOR', `A tensor cannot be named ${quote(name)}.`, {
      fields: { name },
    });
  }
  if (names.has(name)) {
    throw new SafetensorsError(
      'DUPLICATE_NAME',
      `Expected each tensor once but found ${quote(name)} twice.`,
      {
        fields: { name },
      },
    );
  }
  names.add(name);
}

function serializeMetadata(metadata: Readonly<Record<string, string>>): string {
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') {
      throw new SafetensorsError('INVALID_TENSOR', `Expected metadata ${quote(key)} to be a string.`);
    }
  }
  return JSON.stringify(metadata);
}

function pad(json: Uint8Array, alignment: number): Uint8Array {
  const total = Math.ceil((LENGTH_BYTES + json.length) / alignment) * alignment;
  const headerBytes = total - LENGTH_BYTES;
  if (headerBytes > MAX_HEADER_BYTES) {
    throw new SafetensorsError(
      'HEADER_TOO_LARGE',
      `Expected a header of at most ${MAX_HEADER_BYTES} bytes but these tensors need ${headerBytes}. Write several files.`,
      { fields: { headerBytes, limit: MAX_HEADER_BYTES } },
    );
  }
  const bytes = new Uint8Array(total).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(json, LENGTH_BYTES);
  return bytes;
}
