// Where the vectors of a model, and what else always stays, lie in memory: neighbours in a file, such as the biases
// of all experts, are read together and share their pages.

import type { ResidentSpan, ResolvedWeight } from './resolve-weights.js';
import { ceilPage, floorPage, type TileRead } from './tile.js';

export interface PlacedVector {
  readonly weight: ResolvedWeight | ResidentSpan;
  readonly bufferOffset: number;
}

export interface VectorLayout {
  readonly vectors: readonly PlacedVector[];
  readonly reads: readonly TileRead[];
  /** Memory they take, a multiple of the page size. */
  readonly byteLength: number;
}

export function layOutVectors(weights: readonly (ResolvedWeight | ResidentSpan)[]): VectorLayout {
  const distinct = new Map(weights.map((weight) => [weight.name, weight]));
  const inFileOrder = [...distinct.values()].sort((a, b) =>
    a.path === b.path ? a.byteOffset - b.byteOffset : a.path < b.path ? -1 : 1,
  );
  const vectors: PlacedVector[] = [];
  const reads: {
    path: string;
    fileOffset: number;
    byteLength: number;
    bufferOffset: number;
    neededBytes: number;
  }[] = [];
  let byteLength = 0;
  for (const weight of inFileOrder) {
    const start = floorPage(weight.byteOffset);
    const end = weight.byteOffset + weight.byteLength;
    let read = reads.at(-1);
    if (!read || read.path !== weight.path || start > read.fileOffset + read.byteLength) {
      read = {
        path: weight.path,
        fileOffset: start,
        byteLength: 0,
        bufferOffset: byteLength,
        neededBytes: 0,
      };
      reads.push(read);
    }
    read.byteLength = Math.max(read.byteLength, ceilPage(end) - read.fileOffset);
    read.neededBytes = Math.max(read.neededBytes, end - read.fileOffset);
    byteLength = read.bufferOffset + read.byteLength;
    vectors.push({ weight, bufferOffset: read.bufferOffset + weight.byteOffset - read.fileOffset });
  }
  return { vectors, reads, byteLength };
}
