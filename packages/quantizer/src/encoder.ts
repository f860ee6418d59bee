// The streaming encoder: a tensor goes in by chunks, its planes come out by chunks, in memory bounded by a chunk.

import type { EncodedPlane } from './encoded-plane.js';
import type { ErrorFigures } from './error-figures.js';
import type { Format, SourceDType } from './format.js';
import type { Kernels } from './kernels.js';

export interface EncoderOptions {
  /** Name of the tensor: planes are named after it, errors name it. */
  readonly name: string;
  readonly dtype: SourceDType;
  readonly shape: readonly number[];
  readonly format: Format;
  /** `4bit` only: factors in 8 bits, 0.516 bytes per weight instead of 0.5625. Default false. */
  readonly doubleQuantization?: boolean;
  /**
   * What NaN and Inf do. `refuse` (default): the call rejects with `NON_FINITE`. `keep`: `lossless` keeps them bit for bit;
   * in other formats their block gets the factor NaN, so that all of it decodes to NaN, and is left out of the figures.
   */
  readonly nonFinite?: 'refuse' | 'keep';
  /** Threads that encode. Default: `os.availableParallelism()`. */
  readonly threads?: number;
  /** Default: `openKernels({ threads })`. */
  readonly kernels?: Kernels;
}

/** Bytes of one plane, for the caller to write at `byteOffset` of it. */
export interface PlaneChunk {
  /** Index into {@link Encoder.planes}. */
  readonly plane: number;
  readonly byteOffset: number;
  /** Valid until the next call of the encoder. */
  readonly bytes: Uint8Array;
}

/**
 * Takes the elements of one tensor in order, little-endian. Calls go one after another: each is awaited before the next.
 * The chunks of a plane come in order and cover it exactly; planes are interleaved.
 */
export interface Encoder {
  /** Every chunk but the last is a multiple of this many elements. */
  readonly chunkElements: number;
  /** True when all chunks have to go through {@link survey} before the first {@link encode}. */
  readonly needsSurvey: boolean;
  /** What the tensor becomes. With `needsSurvey`, known when all of it has been surveyed. */
  readonly planes: readonly EncodedPlane[];
  /** Against the source, of what has been encoded so far; complete after {@link finish}. */
  readonly errors: ErrorFigures;
  /** Which kernels encode. */
  readonly description: string;
  /** @throws QuantizerError `INVALID_CHUNK`, `INVALID_STATE`, `NON_FINITE` */
  survey(chunk: Uint8Array): Promise<void>;
  /** @throws QuantizerError `INVALID_CHUNK`, `INVALID_STATE`, `NON_FINITE`, `SOURCE_CHANGED` */
  encode(chunk: Uint8Array): Promise<readonly PlaneChunk[]>;
  /**
   * What is known at the end only: maps, state, nested factors.
   *
   * @throws QuantizerError `INVALID_STATE` when elements are missing
   */
  finish(): Promise<readonly PlaneChunk[]>;
}
