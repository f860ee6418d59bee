// `4bit` and `8bit`: codes and block factors chunk by chunk; the maps, and under double quantization the factors, last.

import { DYNAMIC_MAP, NF4_MAP } from '../code-maps.js';
import type { EncodedPlane } from '../encoded-plane.js';
import type { EncoderOptions, PlaneChunk } from '../encoder.js';
import { withFactorError, type ErrorSums } from '../error-figures.js';
import { QuantizerError } from '../errors.js';
import { BLOCK_LENGTH_4BIT, BLOCK_LENGTH_8BIT, BLOCK_LENGTH_NESTED } from '../format.js';
import type { CodeFormat, Kernels } from '../kernels.js';
import { matrixShapeOf } from '../matrix-shape.js';
import { quantStateBytes } from '../quant-state.js';
import type { AcceptedChunk, EncodedChunk, PlaneWriter } from './plane-writer.js';
import { bytesOf, ReusedBuffer } from './reused-buffer.js';

/**
 * Double quantization needs the mean of all factors, so they are held until the end: 1/16 byte per element. At this
 * limit, 2^34 elements in one tensor, that is 1 GiB; the largest published tensors have about 2^31.
 */
const MAX_HELD_FACTORS = 2 ** 28;

export class CodeWriter implements PlaneWriter {
  readonly needsSurvey = false;
  readonly chunkElements: number;
  readonly #codes = new ReusedBuffer();
  readonly #factors = new ReusedBuffer();
  /** All factors of the tensor, under double quantization. */
  readonly #held: Float32Array | undefined;

  constructor(
    private readonly options: EncoderOptions & { format: CodeFormat },
    readonly planes: readonly EncodedPlane[],
    private readonly kernels: Kernels,
  ) {
    this.chunkElements = options.format === '4bit' ? BLOCK_LENGTH_4BIT : BLOCK_LENGTH_8BIT;
    this.#held = options.doubleQuantization === true ? this.#holdFactors() : undefined;
  }

  async survey(): Promise<number> {
    return -1;
  }

  endSurvey(): void {}

  async encode({ bytes, firstElement, elements }: AcceptedChunk): Promise<EncodedChunk> {
    const { format, dtype } = this.options;
    const firstBlock = firstElement / this.chunkElements;
    const blocks = Math.ceil(elements / this.chunkElements);
    const codes = this.#codes.take(format === '4bit' ? Math.ceil(elements / 2) : elements);
    const absmax = this.#held?.subarray(firstBlock, firstBlock + blocks) ?? this.#factors.takeFloats(blocks);
    const { firstNonFinite, ...sums } = await this.kernels.encodeCodes(
      format,
      { bytes, dtype },
      { codes, absmax },
    );
    const chunks: PlaneChunk[] = [
      { plane: 0, byteOffset: format === '4bit' ? firstElement / 2 : firstElement, bytes: codes },
    ];
    if (this.#held === undefined) {
      chunks.push({ plane: 1, byteOffset: 4 * firstBlock, bytes: bytesOf(absmax) });
    }
    return { chunks, sums, firstNonFinite };
  }

  async finish(sums: ErrorSums): Promise<{ chunks: readonly PlaneChunk[]; sums: ErrorSums }> {
    if (this.options.format === '8bit') return { chunks: [whole(2, bytesOf(DYNAMIC_MAP))], sums };
    if (this.#held !== undefined) return this.#finishNested(this.#held, sums);
    return { chunks: [whole(2, bytesOf(NF4_MAP)), whole(3, quantStateBytes(this.options))], sums };
  }

  async #finishNested(
    held: Float32Array,
    sums: ErrorSums,
  ): Promise<{ chunks: readonly PlaneChunk[]; sums: ErrorSums }> {
    const codes = this.#codes.take(held.length);
    const absmax = this.#factors.takeFloats(Math.ceil(held.length / BLOCK_LENGTH_NESTED));
    const { offset, ...factorSums } = await this.kernels.encodeFactors(held, { codes, absmax });
    const chunks = [
      whole(1, codes),
      whole(2, bytesOf(NF4_MAP)),
      whole(3, quantStateBytes(this.options, offset)),
      whole(4, bytesOf(absmax)),
      whole(5, bytesOf(DYNAMIC_MAP)),
    ];
    return { chunks, sums: withFactorError(sums, factorSums) };
  }

  #holdFactors(): Float32Array {
    const { name, shape } = this.options;
    const factors = Math.ceil(matrixShapeOf(name, shape).elements / BLOCK_LENGTH_4BIT);
    if (factors <= MAX_HELD_FACTORS) return new Float32Array(factors);
    throw new QuantizerError(
      'UNSUPPORTED_SHAPE',
      `Expected ${name} to have at most ${MAX_HELD_FACTORS * BLOCK_LENGTH_4BIT} elements for double quantization but its shape is [${shape.join(', ')}]; leave doubleQuantization out`,
      { fields: { tensor: name, shape } },
    );
  }
}

function whole(plane: number, bytes: Uint8Array): PlaneChunk {
  return { plane, byteOffset: 0, bytes };
}
