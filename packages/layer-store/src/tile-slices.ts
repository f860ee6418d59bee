// The rows of weights inside a tile's memory, as ops are to read them.

import type { WeightMemory, WeightSlice } from '@airllm/backend';
import { decodeWeight } from './decode-weight.js';
import type { TileLease } from './lease.js';
import type { ResidentWeights } from './resident-weights.js';
import type { Tile, TilePart } from './tile.js';

export class TileSlices {
  constructor(private readonly residents: ResidentWeights) {}

  /** The rows of `part`, which must be a part of the leased tile. */
  slice({ memory, packed }: TileLease, part: TilePart): WeightSlice {
    if (packed) return packed.slice(part);
    const { weight, rowCount: rows, decodedOffset: byteOffset } = part;
    if (byteOffset === undefined) return this.residents.forOps(this.#stored(memory, part));
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

  #stored(memory: WeightMemory, part: TilePart): WeightSlice {
    const { weight, rowStart, rowCount, bufferOffset, companionOffsets } = part;
    const companions = companionOffsets.map((byteOffset) => ({ memory, byteOffset }));
    return this.residents.bind(weight, { memory, byteOffset: bufferOffset, rowStart, rowCount }, companions);
  }
}
