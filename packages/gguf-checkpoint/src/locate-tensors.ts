// The tensor table of one file as checked byte ranges, under GGUF's own names.

import type { StoredTensor } from '@airllm/checkpoint';
import { ggmlType } from './ggml-types.js';
import { GgufError, shown } from './gguf-error.js';
import { MAX_TENSOR_NAME_LENGTH } from './limits.js';
import type { GgufHeader, TensorEntry } from './read-header.js';

/** A tensor, and how its rows are cut. */
export interface LocatedTensor extends StoredTensor {
  /** Row-major, outermost first: GGUF's dimensions reversed. */
  readonly shape: readonly number[];
}

/**
 * Every tensor lies within the file, on an aligned offset, apart from all others.
 *
 * @throws GgufError `INVALID_TENSOR`, `UNSUPPORTED_TENSOR` (a type whose layout is not known), `INVALID_METADATA`
 */
export function locateTensors(header: GgufHeader): LocatedTensor[] {
  const { path, fileBytes, metadata } = header;
  const alignment = metadata.integer('general.alignment', { min: 1, max: 2 ** 20 }, 32);
  if (2 ** Math.round(Math.log2(alignment)) !== alignment) {
    throw metadata.invalid('general.alignment', 'a power of two');
  }
  const dataStart = Math.ceil(header.tableEnd / alignment) * alignment;
  const tensors = header.tensors.map((entry) => locate(entry, { path, fileBytes, alignment, dataStart }));
  const byOffset = [...tensors].sort((a, b) => a.byteOffset - b.byteOffset);
  byOffset.forEach((tensor, i) => {
    const next = byOffset[i + 1];
    if (next && tensor.byteOffset + tensor.byteLength > next.byteOffset) {
      throw invalidTensor(next.name, path, `to start behind ${shown(tensor.name)} but it starts within it`);
    }
  });
  return tensors;
}

interface Place {
  readonly path: string;
  readonly fileBytes: number;
  readonly alignment: number;
  readonly dataStart: number;
}

function locate({ name, dimensions, type: typeId, offset }: TensorEntry, place: Place): LocatedTensor {
  const { path, fileBytes, alignment, dataStart } = place;
  const type = ggmlType(typeId);
  if (!type) {
    throw new GgufError(
      'UNSUPPORTED_TENSOR',
      `Expected a number format that is known for ${shown(name)} but ${path} has GGML type ${typeId}.`,
      { fields: { tensor: name, type: typeId, path } },
    );
  }
  if (name === '' || name.length > MAX_TENSOR_NAME_LENGTH) {
    throw invalidTensor(name, path, `a name of 1 to ${MAX_TENSOR_NAME_LENGTH} characters`);
  }
  const shape = dimensions.map(Number).reverse();
  const rowElements = shape.at(-1) ?? 0;
  if (
    shape.some((size) => !Number.isSafeInteger(size) || size < 1) ||
    rowElements % type.blockElements !== 0
  ) {
    const expected = `positive sizes, rows of a multiple of ${type.blockElements} (${type.name})`;
    throw invalidTensor(name, path, `to have ${expected} but it has [${shape.join(', ')}]`);
  }
  // Sizes are below 2^53 but their product may not be; a float is exact enough to see that it is too large.
  const elements = shape.reduce((product, size) => product * size, 1);
  const byteLength = (elements / type.blockElements) * type.blockBytes;
  const byteOffset = dataStart + Number(offset);
  if (!(byteLength <= fileBytes) || !(byteOffset + byteLength <= fileBytes)) {
    throw invalidTensor(name, path, `its ${byteLength} bytes at ${byteOffset} to lie within ${fileBytes}`);
  }
  if (Number(offset) % alignment !== 0) {
    throw invalidTensor(name, path, `to start at a multiple of ${alignment} but it starts at ${offset}`);
  }
  return { name, dtype: type.name, shape, path, byteOffset, byteLength };
}

function invalidTensor(name: string, path: string, expected: string): GgufError {
  return new GgufError('INVALID_TENSOR', `Expected ${shown(name)} in ${path} ${expected}.`, {
    fields: { tensor: name, path },
  });
}
