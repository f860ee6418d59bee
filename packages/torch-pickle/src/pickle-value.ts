// What a pickle of tensors can hold, once read: plain data, and three kinds of torch object that are descriptions
// only. There is no value here that could be executed.

import type { ElementType } from './element-type.js';

export type PickleKey = string | number | bigint | boolean | null;

export type PickleValue =
  PickleKey | Uint8Array | PickleTuple | PickleList | PickleDict | GlobalName | StorageReference | TensorView;

export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

export class PickleList {
  constructor(readonly items: PickleValue[]) {}
}

/** A dict or an OrderedDict. */
export class PickleDict {
  readonly entries = new Map<PickleKey, PickleValue>();
}

/** A global of the allow-list, by its full name (`torch._utils._rebuild_tensor_v2`). */
export class GlobalName {
  constructor(readonly name: string) {}
}

/** A storage outside the pickle. */
export class StorageReference {
  constructor(
    readonly key: string,
    readonly elementType: ElementType,
    readonly elements: number,
  ) {}

  get byteLength(): number {
    return this.elements * this.elementType.bytes;
  }
}

/** A tensor: a strided view of a storage, known to lie inside it. Offset and strides count elements. */
export class TensorView {
  readonly storage: StorageReference;
  readonly elementType: ElementType;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(fields: Readonly<TensorView>) {
    this.storage = fields.storage;
    this.elementType = fields.elementType;
    this.offset = fields.offset;
    this.shape = fields.shape;
    this.strides = fields.strides;
  }
}
