// The rows of weights inside a tile's memory, as ops are to read them. Those of tiles that stay are made once: every token
// asks for all of them.

import type { WeightMemory, WeightSlice } from '@airllm/backend';
import { decodeWeight } from './decode-weight.js';
import type { TileLease } from './lease.js';
import type { ResidentWeights } from './resident-weights.js';
import type { Tile, TilePart } from './tile.js';

export class TileSlices {
  /** By the memory they lie in, which is as good as its tile while that stays. */
  readonly #staying = new WeakMap<WeightMemory, Map<TilePart, WeightSlice>>();

  constructor(private readonly residents: ResidentWeights) {}

  /** The rows of `part`, which must be a part of the leased tile. */
  slice({ memory, packed, streamed }: TileLease, part: TilePart): WeightSlice {
    if (packed) return packed.slice(part);
    const { weight, rowCount: rows, decodedOffset: byteOffset } = part;
    if (byteOffset === undefined)
      return this.residents.forOps(streamed ? this.#stored(memory, part) : this.#known(memory, part));
    const [outputs, inputs] = weight.packing?.inputMajor ? [weight.cols, rows] : [rows, weight.cols];
    return { memory, byteOffset, dtype: 'f32', rows: outputs, cols: inputs };
  }

  /** Makes the float32 values of the parts that ops do not take as they are stored. */
  async decode({ parts }: Tile, memory: WeightMemory): Promise<void> {
    for (const part of parts) {
      const { decodedOffset: byteOffset, weight } = part;
      if (byteOffset === undefined) continue;
      const inputMajor = weight.packing?.inputMajor ?? false;
      await decodeWeight(this.#stored(memory, part), { memory, byteOffset }, { inputMajor });
    }
  }

  #known(memory: WeightMemory, part: TilePart): WeightSlice {
    const slices = this.#staying.get(memory) ?? new Map<TilePart, WeightSlice>();
    const known = slices.get(part);
    if (known) return known;
    const slice = this.#stored(memory, part);
    this.#staying.set(memory, slices.set(part, slice));
    return slice;
  }

  #stored(memory: WeightMemory, part: TilePart): WeightSlice {
    const { weight, rowStart, rowCount, bufferOffset, companionOffsets } = part;
    const companions = companionOffsets.map((byteOffset) => ({ memory, byteOffset }));
    return this.residents.bind(weight, { memory, byteOffset: bufferOffset, rowStart, rowCount }, companions);
  }
}
