// The arguments of torch's `_rebuild_tensor` functions to a view, checked against the storage it names. Sources:
// torch/_utils.py for the arguments, and the rule of as_strided for what fits.

import { DTYPES, type ElementType } from './element-type.js';
import {
  GlobalName,
  PickleDict,
  PickleTuple,
  StorageReference,
  TensorView,
  type PickleValue,
} from './pickle-value.js';
import { toCount } from './to-count.js';
import { TorchPickleError } from './torch-pickle-error.js';

/** torch itself stops at 64. */
const MAX_DIMENSIONS = 64;

/** Which positions of the arguments hold what; -1 for none. */
interface Signature {
  readonly minArguments: number;
  readonly maxArguments: number;
  readonly dtype: number;
  readonly metadata: number;
}

/** All begin with storage, offset, size, strides. */
export const REBUILD_FUNCTIONS: ReadonlyMap<string, Signature> = new Map([
  ['torch._utils._rebuild_tensor', { minArguments: 4, maxArguments: 4, dtype: -1, metadata: -1 }],
  ['torch._utils._rebuild_tensor_v2', { minArguments: 6, maxArguments: 7, dtype: -1, metadata: 6 }],
  ['torch._utils._rebuild_tensor_v3', { minArguments: 7, maxArguments: 8, dtype: 6, metadata: 7 }],
]);

/**
 * @throws TorchPickleError `INVALID_PICKLE` for arguments of the wrong kind, `INVALID_TENSOR` for a view that leaves
 *   its storage, `UNSUPPORTED` for the lazily conjugated or negated views, whose bytes are not their values.
 */
export function rebuildTensor(signature: Signature, values: readonly PickleValue[]): TensorView {
  const [storage, offset, size, stride] = values;
  if (
    values.length < signature.minArguments ||
    values.length > signature.maxArguments ||
    !(storage instanceof StorageReference)
  ) {
    throw new TorchPickleError(
      'INVALID_PICKLE',
      'Expected a tensor to be made of a storage, offset, size and strides.',
    );
  }
  const metadata = values[signature.metadata];
  if (
    metadata !== undefined &&
    metadata !== null &&
    !(metadata instanceof PickleDict && metadata.entries.size === 0)
  ) {
    throw new TorchPickleError(
      'UNSUPPORTED',
      'Expected a plain tensor but found one with view metadata (conjugated or negated). Save it after .resolve_conj().resolve_neg().',
    );
  }
  const view = new TensorView({
    storage,
    elementType: signature.dtype < 0 ? storage.elementType : dtypeOf(values[signature.dtype]),
    offset: toCount(offset, 'offset'),
    shape: toCounts(size, 'size'),
    strides: toCounts(stride, 'strides'),
  });
  checkBounds(view);
  return view;
}

function dtypeOf(value: PickleValue | undefined): ElementType {
  const found = value instanceof GlobalName ? DTYPES.get(value.name) : undefined;
  if (found !== undefined) return found;
  throw new TorchPickleError('INVALID_PICKLE', 'Expected a torch dtype as the seventh argument of a tensor.');
}

function checkBounds({ storage, elementType, offset, shape, strides }: TensorView): void {
  if (shape.length !== strides.length || shape.length > MAX_DIMENSIONS) {
    throw new TorchPickleError(
      'INVALID_TENSOR',
      `Expected as many strides as dimensions, at most ${MAX_DIMENSIONS}, but found ${strides.length} and ${shape.length}.`,
      { fields: { dimensions: shape.length, strides: strides.length } },
    );
  }
  const fields = { shape, strides, offset, elements: Math.floor(storage.byteLength / elementType.bytes) };
  // A product or sum beyond 2^53 is inexact but still larger than any storage.
  const count = shape.reduce((product, length) => product * length, 1);
  const last = shape.reduce((sum, length, d) => sum + (length - 1) * (strides[d] ?? 0), offset);
  if (count > 0 && last >= fields.elements) {
    throw new TorchPickleError(
      'INVALID_TENSOR',
      `Expected a tensor inside its storage of ${fields.elements} elements but its last element has index ${last}.`,
      { fields },
    );
  }
  if (!shape.every((_, d) => Number.isSafeInteger(shape.slice(0, d + 1).reduce((a, b) => a * b, 1)))) {
    throw new TorchPickleError('INVALID_TENSOR', 'Expected a tensor of less than 2^53 elements.', { fields });
  }
}

function toCounts(value: PickleValue | undefined, what: string): number[] {
  if (value instanceof PickleTuple) return value.items.map((item) => toCount(item, what));
  throw new TorchPickleError('INVALID_PICKLE', `Expected the ${what} of a tensor to be a tuple.`);
}
