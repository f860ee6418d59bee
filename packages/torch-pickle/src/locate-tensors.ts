// Views of storages to byte ranges of the file.

import type { StorageReference, TensorView } from './pickle-value.js';
import type { TorchTensor } from './torch-tensor.js';

/** The absolute offset of a storage, all of whose bytes are inside the file. */
export type LocateStorage = (storage: StorageReference) => Promise<number>;

export async function locateTensors(
  views: ReadonlyMap<string, TensorView>,
  locate: LocateStorage,
): Promise<ReadonlyMap<string, TorchTensor>> {
  const offsets = new Map<StorageReference, number>();
  const tensors = new Map<string, TorchTensor>();
  for (const [name, view] of views) {
    const { storage, elementType, shape, strides } = view;
    const start = offsets.get(storage) ?? (await locate(storage));
    offsets.set(storage, start);
    const byteLength = shape.reduce((product, length) => product * length, elementType.bytes);
    tensors.set(name, {
      name,
      dtype: elementType.dtype,
      shape,
      strides,
      isContiguous: isContiguous(shape, strides),
      // An empty tensor may start anywhere; its offset is kept inside the file.
      byteOffset: byteLength === 0 ? start : start + view.offset * elementType.bytes,
      byteLength,
      storage: { byteOffset: start, byteLength: storage.byteLength },
    });
  }
  return tensors;
}

/** torch's rule: the stride of a dimension of length 1 does not matter. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  if (shape.includes(0)) return true;
  let expected = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    if (shape[d] === 1) continue;
    if (strides[d] !== expected) return false;
    expected *= shape[d] ?? 1;
  }
  return true;
}
