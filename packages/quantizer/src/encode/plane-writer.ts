// What differs between the formats: how a chunk of elements becomes bytes of planes.

import type { EncodedPlane } from '../encoded-plane.js';
import type { PlaneChunk } from '../encoder.js';
import type { ErrorSums } from '../error-figures.js';

/** A chunk that the cursor has accepted: `firstElement` is its place in the tensor. */
export interface AcceptedChunk {
  readonly bytes: Uint8Array;
  readonly firstElement: number;
  readonly elements: number;
}

export interface EncodedChunk {
  readonly chunks: readonly PlaneChunk[];
  readonly sums: ErrorSums;
  /** Index within the chunk, or -1. */
  readonly firstNonFinite: number;
}

export interface PlaneWriter {
  readonly chunkElements: number;
  readonly needsSurvey: boolean;
  /** Undefined while a survey is to be done. */
  readonly planes: readonly EncodedPlane[] | undefined;
  /** Index within the chunk of the first NaN or Inf, or -1. */
  survey(chunk: AcceptedChunk): Promise<number>;
  /** Called after all chunks have been surveyed. */
  endSurvey(): void;
  encode(chunk: AcceptedChunk): Promise<EncodedChunk>;
  /** The rest, and the sums of the whole tensor given those of its chunks. */
  finish(sums: ErrorSums): Promise<{ chunks: readonly PlaneChunk[]; sums: ErrorSums }>;
}
