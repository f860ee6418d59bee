// The I/O in front of `parseHeader`: the length field is checked against the limit and the file's size
// before memory for the header is reserved.

import { withReader, type ByteReader } from './byte-reader.js';
import { LENGTH_BYTES, MAX_HEADER_BYTES, type SafetensorsHeader } from './header.js';
import { parseHeader } from './parse-header.js';
import { SafetensorsError } from './safetensors-error.js';

/**
 * Reads and validates the header of a file, or of any `ByteReader`. The data is not touched.
 *
 * @example
 * const { tensors, metadata } = await readHeader('model.safetensors');
 * for (const { name, dtype, shape } of tensors.values()) console.log(name, dtype, shape);
 *
 * @throws SafetensorsError `READ_FAILED`, `HEADER_TOO_SMALL`, `HEADER_TOO_LARGE`, `INVALID_HEADER_LENGTH` and
 *   all of `parseHeader`.
 */
export async function readHeader(source: string | ByteReader): Promise<SafetensorsHeader> {
  return withReader(source, async (reader) => {
    const fileSize = reader.size;
    if (fileSize < LENGTH_BYTES) {
      throw new SafetensorsError(
        'HEADER_TOO_SMALL',
        `Expected a safetensors file of at least ${LENGTH_BYTES} bytes but found ${fileSize}.`,
        { fields: { fileSize } },
      );
    }
    const headerBytes = decodeLength(await reader.read(0, LENGTH_BYTES));
    if (headerBytes > BigInt(MAX_HEADER_BYTES)) {
      throw new SafetensorsError(
        'HEADER_TOO_LARGE',
        `Expected a header of at most ${MAX_HEADER_BYTES} bytes but found a length of ${headerBytes}. Is this a safetensors file?`,
        { fields: { headerBytes, limit: MAX_HEADER_BYTES } },
      );
    }
    const length = Number(headerBytes);
    if (length > fileSize - LENGTH_BYTES) {
      throw new SafetensorsError(
        'INVALID_HEADER_LENGTH',
        `Expected a header that ends within the ${fileSize} bytes of the file but found a length of ${length}.`,
        { fields: { headerBytes: length, fileSize } },
      );
    }
    return parseHeader(await reader.read(LENGTH_BYTES, length), { fileSize });
  });
}

function decodeLength(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true);
}
