// Header bytes to a validated header. Everything a file can claim is checked here, before anyone reserves
// memory for it: sizes, offsets, overlaps, holes, overflow, names. No I/O.

import { isDtype } from './dtype.js';
import { LENGTH_BYTES, METADATA_KEY, type SafetensorsHeader, type SafetensorsTensor } from './header.js';
import { quote, SafetensorsError, type SafetensorsErrorCode } from './safetensors-error.js';
import { parseStrictJson, type StrictJson } from './strict-json.js';
import { tensorByteLength } from './tensor-byte-length.js';

export interface ParseHeaderOptions {
  /** Bytes of the whole file: length field, header and data. */
  readonly fileSize: number;
}

/**
 * Parses the JSON bytes of a header, without the 8-byte length in front.
 *
 * Accepts and refuses what the reference implementation (`SafeTensors::read_metadata`) does; names given
 * twice, which it lets pass, are refused.
 *
 * @example
 * const { tensors } = parseHeader(bytes.subarray(8, 8 + headerLength), { fileSize: bytes.length });
 * tensors.get('lm_head.weight')?.shape;
 *
 * @throws SafetensorsError with the code of the first rule that is broken.
 */
export function parseHeader(bytes: Uint8Array, options: ParseHeaderOptions): SafetensorsHeader {
  const root = parseStrictJson(decodeUtf8(bytes));
  if (!isObject(root)) fail('INVALID_HEADER', 'Expected the header to be a JSON object.');

  const dataOffset = LENGTH_BYTES + bytes.length;
  const tensors: SafetensorsTensor[] = [];
  for (const [name, entry] of root) {
    if (name !== METADATA_KEY) tensors.push(parseTensor(name, entry, dataOffset));
  }
  tensors.sort((a, b) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength);
  checkCoverage(tensors, dataOffset, options.fileSize);

  return {
    tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])),
    metadata: parseMetadata(root.get(METADATA_KEY)),
    dataOffset,
  };
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    // A byte order mark is not stripped: it is not JSON, and the reference implementation refuses it.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SafetensorsError('HEADER_NOT_UTF8', 'Expected a header in UTF-8. The file is damaged.', {
      cause,
    });
  }
}

function parseTensor(name: string, entry: StrictJson, dataOffset: number): SafetensorsTensor {
  if (!isObject(entry))
    return fail('INVALID_HEADER', 'Expected an object with dtype, shape, data_offsets.', name);

  const dtype = entry.get('dtype');
  if (typeof dtype !== 'string') return fail('INVALID_HEADER', 'Expected dtype to be a string.', name);
  if (!isDtype(dtype))
    return fail('UNKNOWN_DTYPE', `Expected a dtype of the format but found ${quote(dtype)}.`, name);

  const shape = parseSizes(entry.get('shape'), 'shape', name);
  const [begin, end, ...rest] = parseSizes(entry.get('data_offsets'), 'data_offsets', name);
  if (begin === undefined || end === undefined || rest.length > 0) {
    return fail('INVALID_HEADER', 'Expected data_offsets to hold two numbers.', name);
  }
  if (begin > end)
    return fail('INVALID_OFFSETS', `Expected begin <= end but found [${begin}, ${end}].`, name);
  if (end > Number.MAX_SAFE_INTEGER - dataOffset)
    return fail('SIZE_OVERFLOW', `Found end offset ${end}.`, name);

  const byteLength = sizeOf(dtype, shape, name);
  if (end - begin !== byteLength) {
    return fail(
      'SIZE_MISMATCH',
      `Expected ${byteLength} bytes from dtype and shape but found ${end - begin}.`,
      name,
    );
  }
  return { name, dtype, shape, byteOffset: dataOffset + begin, byteLength };
}

function sizeOf(dtype: SafetensorsTensor['dtype'], shape: readonly number[], name: string): number {
  try {
    return tensorByteLength(dtype, shape);
  } catch (error) {
    if (error instanceof SafetensorsError) return fail(error.code, error.message, name);
    throw error;
  }
}

function parseSizes(value: StrictJson | undefined, field: string, name: string): number[] {
  if (!Array.isArray(value)) return fail('INVALID_HEADER', `Expected ${field} to be an array.`, name);
  return (value as readonly StrictJson[]).map((item) => {
    if (typeof item === 'bigint' && item >= 0n) {
      return fail('SIZE_OVERFLOW', `Expected ${field} below 2^53 but found ${item}.`, name);
    }
    if (typeof item !== 'number' || item < 0) {
      return fail('INVALID_HEADER', `Expected ${field} to hold non-negative integers.`, name);
    }
    return item;
  });
}

/** `tensors` in order of offset must follow each other without a gap and end where the file ends. */
function checkCoverage(tensors: readonly SafetensorsTensor[], dataOffset: number, fileSize: number): void {
  let end = dataOffset;
  for (const { name, byteOffset, byteLength } of tensors) {
    const found = `offset ${byteOffset - dataOffset} where the tensor before it ends at ${end - dataOffset}`;
    if (byteOffset < end) fail('TENSORS_OVERLAP', `Found ${found}.`, name);
    if (byteOffset > end) fail('DATA_NOT_COVERED', `Expected no hole in the data but found ${found}.`, name);
    end += byteLength;
  }
  if (end !== fileSize) {
    throw new SafetensorsError(
      'DATA_NOT_COVERED',
      `Expected a file of ${end} bytes, as its header says, but found ${fileSize}. ` +
        (fileSize < end
          ? 'The file is truncated: download or copy it again.'
          : 'Bytes follow the last tensor.'),
      { fields: { expectedBytes: end, fileSize } },
    );
  }
}

function parseMetadata(value: StrictJson | undefined): Record<string, string> {
  const metadata = Object.create(null) as Record<string, string>;
  if (value === undefined || value === null) return metadata;
  if (!isObject(value)) return fail('INVALID_HEADER', `Expected ${METADATA_KEY} to be an object.`);
  for (const [key, item] of value) {
    if (typeof item !== 'string')
      return fail('INVALID_HEADER', `Expected ${METADATA_KEY}.${quote(key)} to be a string.`);
    metadata[key] = item;
  }
  return metadata;
}

function isObject(value: StrictJson): value is ReadonlyMap<string, StrictJson> {
  return value instanceof Map;
}

function fail(code: SafetensorsErrorCode, message: string, tensor?: string): never {
  const prefix = tensor === undefined ? '' : `Tensor ${quote(tensor)}: `;
  throw new SafetensorsError(code, prefix + message, tensor === undefined ? {} : { fields: { tensor } });
}
