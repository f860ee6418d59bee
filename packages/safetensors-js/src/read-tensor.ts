// The bytes of one tensor, for tools and tests. Programs that stream weights read the ranges themselves.

import { withReader, type ByteReader } from './byte-reader.js';
import type { SafetensorsTensor } from './header.js';
import { SafetensorsError } from './safetensors-error.js';

/**
 * Reads a tensor into a new array of `tensor.byteLength` bytes: little-endian elements, row-major.
 *
 * @example
 * const norm = header.tensors.get('model.norm.weight');
 * if (norm) console.log((await readTensor('model.safetensors', norm)).length);
 *
 * @throws SafetensorsError `READ_FAILED`; also when the file has become shorter than the tensor needs.
 */
export async function readTensor(
  source: string | ByteReader,
  tensor: Pick<SafetensorsTensor, 'name' | 'byteOffset' | 'byteLength'>,
): Promise<Uint8Array> {
  return withReader(source, async (reader) => {
    if (tensor.byteLength > reader.size - tensor.byteOffset) {
      throw new SafetensorsError(
        'READ_FAILED',
        `Expected ${tensor.byteLength} bytes at offset ${tensor.byteOffset} but the file has ${reader.size}. Read its header again.`,
        { fields: { tensor: tensor.name, fileSize: reader.size } },
      );
    }
    return reader.read(tensor.byteOffset, tensor.byteLength);
  });
}
