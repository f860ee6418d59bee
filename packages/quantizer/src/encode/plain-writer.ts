// A bf16 tensor whose rows are too short for `lossless` to make them smaller: it stays as it is.

import { plane, type EncodedPlane } from '../encoded-plane.js';
import type { EncoderOptions, PlaneChunk } from '../encoder.js';
import { NO_ERROR, type ErrorSums } from '../error-figures.js';
import type { AcceptedChunk, EncodedChunk, PlaneWriter } from './plane-writer.js';

export class PlainWriter implements PlaneWriter {
  readonly needsSurvey = false;
  readonly chunkElements = 1;
  readonly planes: readonly EncodedPlane[];

  constructor({ name, shape }: EncoderOptions) {
    this.planes = [plane(name, 'BF16', shape)];
  }

  async survey(): Promise<number> {
    return -1;
  }

  endSurvey(): void {}

  async encode(chunk: AcceptedChunk): Promise<EncodedChunk> {
    return { chunks: plainChunk(chunk), sums: NO_ERROR, firstNonFinite: firstNonFinite(chunk.bytes) };
  }

  async finish(sums: ErrorSums): Promise<{ chunks: readonly PlaneChunk[]; sums: ErrorSums }> {
    return { chunks: [], sums };
  }
}

/** The chunk's own bytes, in their place. */
export function plainChunk({ bytes, firstElement }: AcceptedChunk): PlaneChunk[] {
  return [{ plane: 0, byteOffset: 2 * firstElement, bytes }];
}

/** A bf16 whose eight exponent bits are ones. */
function firstNonFinite(bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i += 2) {
    if (((bytes[i + 1] ?? 0) & 0x7f) === 0x7f && (bytes[i] ?? 0) >= 0x80) return i / 2;
  }
  return -1;
}
