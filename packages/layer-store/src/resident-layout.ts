// Where what is read once lies in memory: vectors, code books, what describes packed weights. Packed close together and
// not by pages, since a mixture of experts has tens of thousands of them; so they are read through a staging buffer.
//
//   file    ··[a]···[b][c]············[d]··     pages of each batch ─► staging ─► a b c d

import { ceilPage, mostPagedBytes, ReadRanges, type RangeRead } from './read-ranges.js';
import type { FileSpan, ResolvedWeight } from './resolved-weight.js';

/** Pages that are in the staging buffer at once, and what is copied out of it. */
export interface ResidentBatch {
  readonly reads: readonly RangeRead[];
  /** Offsets in the staging buffer and in resident memory. */
  readonly copies: readonly { readonly from: number; readonly to: number; readonly byteLength: number }[];
}

export interface ResidentLayout {
  readonly batches: readonly ResidentBatch[];
  /** The largest batch. */
  readonly stagingBytes: number;
  /** Memory for all spans, a multiple of the page size. */
  readonly byteLength: number;
  /** Where a span lies in that memory; undefined for one that was not laid out. */
  readonly offsetOf: (span: FileSpan) => number | undefined;
  /** Where the float32 values of a vector that is stored packed come to lie, by its name. */
  readonly decodedOffsets: ReadonlyMap<string, number>;
}

/** Vector instructions like it, ops do not need it. */
const ALIGNMENT = 64;

export interface ResidentOptions {
  /** Of a batch; a span that is larger has a batch of its own. */
  readonly stagingBytes: number;
  /** Vectors whose values are made of their spans. */
  readonly decoded: readonly ResolvedWeight[];
}

/** @param spans each once or several times */
export function layOutResidents(
  spans: readonly FileSpan[],
  { stagingBytes, decoded }: ResidentOptions,
): ResidentLayout {
  const distinct = new Map(spans.map((span) => [keyOf(span), span]));
  const inFileOrder = [...distinct.values()].sort((a, b) =>
    a.path === b.path ? a.byteOffset - b.byteOffset : a.path < b.path ? -1 : 1,
  );
  const offsets = new Map<string, number>();
  const batches: ResidentBatch[] = [];
  let largest = 0;
  let end = 0;
  let ranges = new ReadRanges();
  let copies: { from: number; to: number; byteLength: number }[] = [];
  const close = (): void => {
    if (copies.length > 0) batches.push({ reads: ranges.reads, copies });
    largest = Math.max(largest, ranges.bufferBytes);
    ranges = new ReadRanges();
    copies = [];
  };
  for (const span of inFileOrder) {
    const { byteLength } = span;
    if (ranges.bufferBytes + mostPagedBytes(byteLength) > stagingBytes) close();
    copies.push({ from: ranges.place(span), to: end, byteLength });
    offsets.set(keyOf(span), end);
    end = align(end + byteLength);
  }
  close();
  const decodedOffsets = new Map<string, number>();
  for (const { name, rows, cols } of decoded) {
    decodedOffsets.set(name, end);
    end = align(end + rows * cols * Float32Array.BYTES_PER_ELEMENT);
  }
  return {
    batches,
    stagingBytes: largest,
    byteLength: ceilPage(end),
    offsetOf: (span) => offsets.get(keyOf(span)),
    decodedOffsets,
  };
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Spans are told apart by their place. */
function keyOf({ path, byteOffset, byteLength }: FileSpan): string {
  return `${byteOffset}+${byteLength} ${path}`;
}
