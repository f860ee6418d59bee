// What is read once and stays: vectors, and what stands beside packed weights. Opened before the first tile is read, since
// tiles are of no use without it.

import type { WeightMemory, WeightSlice, WeightSpan } from '@airllm/backend';
import { companionsOf } from './companion-rows.js';
import { decodeWeight } from './decode-weight.js';
import type { FileReader } from './file-reader.js';
import type { BindPacking, FileSpan, ResolvedWeight } from './resolved-weight.js';
import type { StoreLayout } from './store-layout.js';

export class ResidentWeights {
  readonly #layout: StoreLayout;
  readonly #memory: WeightMemory;
  readonly #vectors = new Map<string, WeightSlice>();
  /** By the names of packed weights. */
  readonly #packings = new Map<string, BindPacking>();

  /** @param memory of at least `layout.residents.byteLength`, the caller's own */
  constructor(layout: StoreLayout, memory: WeightMemory) {
    this.#layout = layout;
    this.#memory = memory;
  }

  /**
   * Reads everything through `staging`, which is free again afterwards.
   *
   * @throws LayerStoreError `READ_FAILED`; `UNSUPPORTED_DTYPE` for contents that contradict the headers
   */
  async read(reader: FileReader, staging: WeightMemory): Promise<void> {
    const { residents, vectors, packed } = this.#layout;
    for (const { reads, copies } of residents.batches) {
      await reader.readAll(reads, staging);
      for (const { from, to, byteLength } of copies)
        this.#memory.bytes.set(staging.bytes.subarray(from, from + byteLength), to);
    }
    for (const [name, { packing }] of packed)
      if (packing) this.#packings.set(name, packing.open(this.#spanOf));
    for (const [name, weight] of vectors) {
      const decodedOffset = residents.decodedOffsets.get(name);
      this.#vectors.set(
        name,
        decodedOffset === undefined ? this.#stored(weight) : await this.#decode(weight, decodedOffset),
      );
    }
  }

  /** A norm or bias, as one row. */
  vector(name: string): WeightSlice {
    const slice = this.#vectors.get(name);
    if (!slice) throw new RangeError(`Expected a vector of this model but received ${name}`);
    return slice;
  }

  /** A block of rows of a matrix, or of a table's, with all that stands beside it. */
  bind(
    weight: ResolvedWeight,
    rows: WeightSpan & { readonly rowStart: number; readonly rowCount: number },
    companions: readonly WeightSpan[],
  ): WeightSlice {
    const { name, dtype, cols, scales } = weight;
    const { memory, byteOffset, rowStart, rowCount } = rows;
    const slice = { memory, byteOffset, dtype, rows: rowCount, cols };
    const packing = this.#packings.get(name)?.(companions, rowStart);
    if (packing) return { ...slice, packing };
    if (!scales) return slice;
    const { vector, ...grid } = scales;
    const place = this.vector(vector.name);
    return {
      ...slice,
      scales: { memory: place.memory, byteOffset: place.byteOffset, ...grid, firstRow: rowStart },
    };
  }

  readonly #spanOf = (span: FileSpan): WeightSpan => {
    const byteOffset = this.#layout.residents.offsetOf(span);
    if (byteOffset === undefined)
      throw new RangeError(`Expected bytes from ${span.byteOffset} of ${span.path} on to be resident`);
    return { memory: this.#memory, byteOffset };
  };

  #stored(weight: ResolvedWeight): WeightSlice {
    const rows = { ...this.#spanOf(weight), rowStart: 0, rowCount: weight.rows };
    const companions = companionsOf(weight).map(this.#spanOf);
    return this.bind(weight, rows, companions);
  }

  async #decode(weight: ResolvedWeight, byteOffset: number): Promise<WeightSlice> {
    const to = { memory: this.#memory, byteOffset };
    await decodeWeight(this.#stored(weight), to, { inputMajor: false });
    return { ...to, dtype: 'f32', rows: 1, cols: weight.rows * weight.cols };
  }
}
