// What is read once and stays: vectors, and what stands beside packed weights. Opened before the first tile is read, since
// tiles are of no use without it. The host keeps it, for what is decoded there; ops may have a copy on the device.

import type { DeviceMemory, WeightMemory, WeightSlice, WeightSpan } from '@airllm/backend';
import { companionsOf } from './companion-rows.js';
import { decodeWeight } from './decode-weight.js';
import type { FileReader } from './file-reader.js';
import { relocate } from './relocate.js';
import type { BindPacking, FileSpan, ResolvedWeight } from './resolved-weight.js';
import type { StoreLayout } from './store-layout.js';

export class ResidentWeights {
  readonly #layout: StoreLayout;
  readonly #memory: WeightMemory;
  readonly #vectors = new Map<string, WeightSlice>();
  /** By the names of packed weights. */
  readonly #packings = new Map<string, BindPacking>();
  #copy: WeightMemory | undefined;

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

  /**
   * Makes the device's copy, or gives it back. Between passes.
   *
   * @throws BackendError `OUT_OF_DEVICE_MEMORY`
   */
  async place(device: Pick<DeviceMemory, 'pin'> | undefined): Promise<void> {
    if (device) {
      this.#copy ??= await device.pin(this.#memory);
      return;
    }
    this.#copy?.dispose();
    this.#copy = undefined;
  }

  /** A slice as ops are to read it. */
  forOps(slice: WeightSlice): WeightSlice {
    return this.#copy ? relocate(slice, this.#memory, this.#copy) : slice;
  }

  /** A norm or bias, as one row, in host memory. */
  vector(name: string): WeightSlice {
    const slice = this.#vectors.get(name);
    if (!slice) throw new RangeError(`Expected a vector of this model but received ${name}`);
    return slice;
  }

  /** A block of rows of a matrix, or of a table's, with all that stands beside it, in host memory. */
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
