// `lossless`: a survey chooses each row's base exponent and the room for escapes, then rows are encoded.

import type { EncodedPlane } from '../encoded-plane.js';
import type { EncoderOptions, PlaneChunk } from '../encoder.js';
import { NO_ERROR, type ErrorSums } from '../error-figures.js';
import { QuantizerError } from '../errors.js';
import type { Kernels, Rows } from '../kernels.js';
import { losslessCodeBytes, losslessPlanes } from '../lossless-planes.js';
import { matrixShapeOf } from '../matrix-shape.js';
import { plainChunk } from './plain-writer.js';
import type { AcceptedChunk, EncodedChunk, PlaneWriter } from './plane-writer.js';
import { ReusedBuffer } from './reused-buffer.js';

export class LosslessWriter implements PlaneWriter {
  readonly needsSurvey = true;
  readonly chunkElements: number;
  planes: readonly EncodedPlane[] | undefined;
  readonly #shape: Rows;
  /** One byte per row; rows have at least 26 columns here. */
  readonly #bases: Uint8Array;
  #capacity = 0;
  readonly #bytes = new ReusedBuffer();
  readonly #codes = new ReusedBuffer();
  readonly #escapes = new ReusedBuffer();

  constructor(
    private readonly options: EncoderOptions,
    private readonly kernels: Kernels,
  ) {
    this.#shape = matrixShapeOf(options.name, options.shape);
    this.chunkElements = this.#shape.cols;
    this.#bases = new Uint8Array(this.#shape.rows);
  }

  async survey(chunk: AcceptedChunk): Promise<number> {
    const { shape, bases } = this.#rowsOf(chunk);
    const { capacity, firstNonFinite } = await this.kernels.surveyLossless(chunk.bytes, shape, bases);
    this.#capacity = Math.max(this.#capacity, capacity);
    return firstNonFinite;
  }

  endSurvey(): void {
    this.planes = losslessPlanes(this.options, this.#shape, this.#capacity);
  }

  async encode(chunk: AcceptedChunk): Promise<EncodedChunk> {
    const chunks = this.planes?.length === 1 ? plainChunk(chunk) : await this.#encodeRows(chunk);
    return { chunks, sums: NO_ERROR, firstNonFinite: -1 };
  }

  async finish(sums: ErrorSums): Promise<{ chunks: readonly PlaneChunk[]; sums: ErrorSums }> {
    return { chunks: [], sums };
  }

  async #encodeRows(chunk: AcceptedChunk): Promise<PlaneChunk[]> {
    const { shape, bases, firstRow } = this.#rowsOf(chunk);
    const { rows, cols } = shape;
    const codeBytes = losslessCodeBytes(cols);
    const escapeBytes = 1 + this.#capacity;
    const to = {
      bytes: this.#bytes.take(rows * cols),
      codes: this.#codes.take(rows * codeBytes),
      escapes: this.#escapes.take(rows * escapeBytes),
    };
    if (!(await this.kernels.encodeLossless(chunk.bytes, shape, bases, to))) {
      const { name } = this.options;
      throw new QuantizerError(
        'SOURCE_CHANGED',
        `Expected ${name} to hold what the survey read but a row has more escapes; encode it again from the start`,
        { fields: { tensor: name, firstRow } },
      );
    }
    return [
      { plane: 0, byteOffset: firstRow * cols, bytes: to.bytes },
      { plane: 1, byteOffset: firstRow * codeBytes, bytes: to.codes },
      { plane: 2, byteOffset: firstRow * escapeBytes, bytes: to.escapes },
    ];
  }

  #rowsOf({ firstElement, elements }: AcceptedChunk): { shape: Rows; bases: Uint8Array; firstRow: number } {
    const { cols } = this.#shape;
    const [firstRow, rows] = [firstElement / cols, elements / cols];
    return { shape: { rows, cols }, bases: this.#bases.subarray(firstRow, firstRow + rows), firstRow };
  }
}
