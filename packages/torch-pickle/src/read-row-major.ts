// The elements of any view in row-major order, in bounded memory: the output is cut into blocks, and each block is
// gathered from pieces of the storage, every piece read at once.

import { copyStrided, rowMajorStrides } from './copy-strided.js';
import { openFile, type ByteSource } from './file-source.js';
import type { TorchTensor } from './torch-tensor.js';

/** Of output, and of storage, held at a time. Larger blocks cost memory, smaller ones more reads. */
const DEFAULT_BLOCK_BYTES = 32 * 2 ** 20;

/** Share of what is read that is used. It bounds what a large tensor costs; above it few large reads are faster. */
const MIN_DENSITY = 1 / 16;
/** So little is read at once whatever is used of it: a page or two. */
const MAX_SPARSE_ELEMENTS = 4096;

export interface ReadRowMajorOptions {
  /** Default: 32 MiB. Never less than one element. */
  readonly blockBytes?: number;
}

/** A part of a tensor: first index and length in each dimension. */
interface Box {
  readonly start: readonly number[];
  readonly lengths: readonly number[];
}

/**
 * The bytes of `tensor` as a contiguous tensor would have them, one block after the other.
 *
 * @example
 * const { tensors } = await readTorchFile(path);
 * for (const tensor of tensors.values()) for await (const block of readRowMajor(path, tensor)) hash.update(block);
 *
 * @throws TorchPickleError `READ_FAILED`.
 */
export async function* readRowMajor(
  path: string,
  tensor: TorchTensor,
  { blockBytes = DEFAULT_BLOCK_BYTES }: ReadRowMajorOptions = {},
): AsyncGenerator<Uint8Array> {
  if (tensor.byteLength === 0) return;
  const maxElements = Math.max(1, Math.floor(blockBytes / elementBytes(tensor)));
  const file = await openFile(path);
  try {
    for (const block of blocks(tensor.shape, maxElements))
      yield await readBlock(file, tensor, { block, maxElements });
  } finally {
    await file.close();
  }
}

interface BlockRequest {
  readonly block: Box;
  readonly maxElements: number;
}

async function readBlock(
  source: ByteSource,
  tensor: TorchTensor,
  { block, maxElements }: BlockRequest,
): Promise<Uint8Array> {
  const { strides, byteOffset } = tensor;
  const width = elementBytes(tensor);
  const output = new Uint8Array(product(block.lengths) * width);
  const outputStrides = rowMajorStrides(block.lengths);
  for (const { start, lengths } of pieces(block, strides, maxElements)) {
    const input = await source.read(byteOffset + dot(start, strides) * width, span(lengths, strides) * width);
    const inBlock = start.map((first, d) => first - (block.start[d] ?? 0));
    copyStrided(
      { bytes: input, index: 0, strides },
      { bytes: output, index: dot(inBlock, outputStrides), strides: outputStrides },
      { lengths, elementBytes: width },
    );
  }
  return output;
}

/** Boxes of at most `maxElements` that are contiguous in the output, in its order. */
function* blocks(shape: readonly number[], maxElements: number): Generator<Box> {
  // The first dimension whose rows fit: before it one index at a time, after it all of it.
  let split = 0;
  while (split < shape.length - 1 && product(shape.slice(split + 1)) > maxElements) split++;
  const rows = Math.max(1, Math.floor(maxElements / product(shape.slice(split + 1))));
  const outer = shape.slice(0, split);
  const inner = shape.slice(split + 1);
  const length = shape[split] ?? 1;
  for (let i = 0; i < product(outer); i++) {
    const prefix = rowMajorStrides(outer).map((stride, d) => Math.floor(i / stride) % (outer[d] ?? 1));
    for (let row = 0; row < length; row += rows) {
      if (shape.length === 0) yield { start: [], lengths: [] };
      else {
        yield {
          start: [...prefix, row, ...inner.map(() => 0)],
          lengths: [...prefix.map(() => 1), Math.min(rows, length - row), ...inner],
        };
      }
    }
  }
}

/**
 * A box in parts, halved where neighbours lie farthest apart, until each spans at most `maxElements` of the storage and
 * most of what lies between its elements is not read in vain, block after block.
 */
function* pieces(box: Box, strides: readonly number[], maxElements: number): Generator<Box> {
  const spanned = span(box.lengths, strides);
  const dense = spanned <= MAX_SPARSE_ELEMENTS || product(box.lengths) >= MIN_DENSITY * spanned;
  if (dense && spanned <= maxElements) {
    yield box;
    return;
  }
  const reach = box.lengths.map((length, d) => (length - 1) * (strides[d] ?? 0));
  const widest = reach.indexOf(Math.max(...reach));
  const length = box.lengths[widest] ?? 1;
  const half = Math.ceil(length / 2);
  yield* pieces({ ...box, lengths: box.lengths.with(widest, half) }, strides, maxElements);
  yield* pieces(
    {
      start: box.start.with(widest, (box.start[widest] ?? 0) + half),
      lengths: box.lengths.with(widest, length - half),
    },
    strides,
    maxElements,
  );
}

/** Elements of the storage from the first of a box to its last. */
function span(lengths: readonly number[], strides: readonly number[]): number {
  return (
    1 +
    dot(
      lengths.map((length) => length - 1),
      strides,
    )
  );
}

function elementBytes({ byteLength, shape }: TorchTensor): number {
  return byteLength / product(shape);
}

function product(values: readonly number[]): number {
  return values.reduce((a, b) => a * b, 1);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, d) => sum + value * (b[d] ?? 0), 0);
}
