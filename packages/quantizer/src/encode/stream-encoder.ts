// The order of calls, the lengths of chunks, NaN and Inf, the figures: what all formats have in common.

import type { EncodedPlane } from '../encoded-plane.js';
import type { Encoder, EncoderOptions, PlaneChunk } from '../encoder.js';
import { addSums, errorFigures, NO_ERROR, type ErrorFigures } from '../error-figures.js';
import { QuantizerError } from '../errors.js';
import { bytesPerElement } from '../format.js';
import type { Kernels } from '../kernels.js';
import { matrixShapeOf } from '../matrix-shape.js';
import type { AcceptedChunk, PlaneWriter } from './plane-writer.js';

type Stage = 'survey' | 'encode' | 'finished';

export class StreamEncoder implements Encoder {
  readonly chunkElements: number;
  readonly needsSurvey: boolean;
  readonly description: string;
  readonly #elements: number;
  #stage: Stage;
  #nextElement = 0;
  #busy = false;
  #sums = NO_ERROR;

  constructor(
    private readonly writer: PlaneWriter,
    private readonly options: EncoderOptions & { kernels: Kernels },
  ) {
    this.chunkElements = writer.chunkElements;
    this.needsSurvey = writer.needsSurvey;
    this.description = options.kernels.description;
    this.#elements = matrixShapeOf(options.name, options.shape).elements;
    this.#stage = writer.needsSurvey ? 'survey' : 'encode';
  }

  get planes(): readonly EncodedPlane[] {
    if (this.writer.planes !== undefined) return this.writer.planes;
    throw this.#invalidState(`all ${this.#elements} elements to be surveyed before its planes are known`);
  }

  get errors(): ErrorFigures {
    return errorFigures(this.#sums);
  }

  async survey(chunk: Uint8Array): Promise<void> {
    await this.#exclusively('survey', async () => {
      const accepted = this.#accept(chunk);
      this.#refuseNonFinite(accepted, await this.writer.survey(accepted));
      if (!this.#advance(accepted)) return;
      this.writer.endSurvey();
      this.#nextElement = 0;
      this.#stage = 'encode';
    });
  }

  async encode(chunk: Uint8Array): Promise<readonly PlaneChunk[]> {
    return this.#exclusively('encode', async () => {
      const accepted = this.#accept(chunk);
      const { chunks, sums, firstNonFinite } = await this.writer.encode(accepted);
      this.#refuseNonFinite(accepted, firstNonFinite);
      this.#advance(accepted);
      this.#sums = addSums(this.#sums, sums);
      return chunks;
    });
  }

  async finish(): Promise<readonly PlaneChunk[]> {
    return this.#exclusively('encode', async () => {
      if (this.#nextElement !== this.#elements) {
        throw this.#invalidState(`all ${this.#elements} elements before finish()`);
      }
      const { chunks, sums } = await this.writer.finish(this.#sums);
      this.#sums = sums;
      this.#stage = 'finished';
      return chunks;
    });
  }

  async #exclusively<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
    if (this.#busy) throw this.#invalidState('the call before to be awaited');
    if (this.#stage !== stage) throw this.#invalidState(`a call of stage ${this.#stage}`);
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }

  #accept(bytes: Uint8Array): AcceptedChunk {
    const { name, dtype } = this.options;
    const elements = bytes.length / bytesPerElement(dtype);
    const left = this.#elements - this.#nextElement;
    const whole = elements > 0 && elements % this.chunkElements === 0;
    if (!Number.isInteger(elements) || elements > left || !(whole || elements === left)) {
      const expected = `a multiple of ${this.chunkElements} elements of ${dtype}, at most ${left}`;
      throw new QuantizerError(
        'INVALID_CHUNK',
        `Expected a chunk of ${name} to be ${expected}, but received ${bytes.length} bytes`,
        { fields: { tensor: name, expected, found: bytes.length } },
      );
    }
    return { bytes, firstElement: this.#nextElement, elements };
  }

  /** True when this was the last chunk. */
  #advance({ elements }: AcceptedChunk): boolean {
    this.#nextElement += elements;
    return this.#nextElement === this.#elements;
  }

  #refuseNonFinite({ firstElement, bytes }: AcceptedChunk, index: number): void {
    const { name, dtype, nonFinite = 'refuse' } = this.options;
    if (index === -1 || nonFinite === 'keep') return;
    const element = firstElement + index;
    const start = index * bytesPerElement(dtype);
    const bits = [...bytes.subarray(start, start + bytesPerElement(dtype))].reverse();
    const value = bits.map((byte) => byte.toString(16).padStart(2, '0')).join('');
    throw new QuantizerError(
      'NON_FINITE',
      `Expected finite values in ${name} but element ${element} is NaN or Inf (${dtype} 0x${value}); repair the checkpoint, or pass nonFinite: 'keep'`,
      { fields: { tensor: name, element, value: `0x${value}` } },
    );
  }

  #invalidState(expected: string): QuantizerError {
    const { name } = this.options;
    return new QuantizerError(
      'INVALID_STATE',
      `Expected ${expected} of the encoder of ${name} (it has taken ${this.#nextElement} of ${this.#elements} elements, stage ${this.#stage})`,
      { fields: { tensor: name, stage: this.#stage, elements: this.#nextElement } },
    );
  }
}
