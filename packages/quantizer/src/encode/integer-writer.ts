// `int8` and `int4`: whole rows, codes and scales.

import type { EncodedPlane } from '../encoded-plane.js';
import type { EncoderOptions, PlaneChunk } from '../encoder.js';
import type { ErrorSums } from '../error-figures.js';
import { GROUP_COLS } from '../format.js';
import type { IntegerFormat, Kernels } from '../kernels.js';
import { matrixShapeOf } from '../matrix-shape.js';
import type { AcceptedChunk, EncodedChunk, PlaneWriter } from './plane-writer.js';
import { bytesOf, ReusedBuffer } from './reused-buffer.js';

export class IntegerWriter implements PlaneWriter {
  readonly needsSurvey = false;
  readonly chunkElements: number;
  readonly #cols: number;
  readonly #codes = new ReusedBuffer();
  readonly #scales = new ReusedBuffer();

  constructor(
    private readonly options: EncoderOptions & { format: IntegerFormat },
    readonly planes: readonly EncodedPlane[],
    private readonly kernels: Kernels,
  ) {
    this.#cols = matrixShapeOf(options.name, options.shape).cols;
    this.chunkElements = Math.max(this.#cols, 1);
  }

  async survey(): Promise<number> {
    return -1;
  }

  endSurvey(): void {}

  async encode({ bytes, firstElement, elements }: AcceptedChunk): Promise<EncodedChunk> {
    const { format, dtype } = this.options;
    const cols = this.#cols;
    const rows = elements / this.chunkElements;
    const firstRow = firstElement / this.chunkElements;
    const groups = Math.ceil(cols / GROUP_COLS);
    const rowBytes = format === 'int8' ? cols : cols / 2;
    const codes = this.#codes.take(rows * rowBytes);
    const scales = this.#scales.takeFloats(rows * groups);
    const { firstNonFinite, ...sums } = await this.kernels.encodeIntegers(
      format,
      { bytes, dtype },
      { rows, cols },
      { codes, scales },
    );
    const chunks = [
      { plane: 0, byteOffset: firstRow * rowBytes, bytes: codes },
      { plane: 1, byteOffset: 4 * firstRow * groups, bytes: bytesOf(scales) },
    ];
    return { chunks, sums, firstNonFinite };
  }

  async finish(sums: ErrorSums): Promise<{ chunks: readonly PlaneChunk[]; sums: ErrorSums }> {
    return { chunks: [], sums };
  }
}
