// Where a tensor's bytes come from: one block of random values per standard deviation, entered at a point of the
// tensor's own and repeated. The order of magnitude is right, every value's entropy is right, and nothing is computed
// per tensor; but blocks recur, so these files say nothing about compressors that look back further than a block.

import { BYTES_PER_VALUE, encodeFloats } from './encode-floats.js';
import { createRandom, normalValues } from './random.js';

/** The largest primes below 2^20 and 2^16: the rows of a matrix meet the block at another place each time round. */
const BLOCK_VALUES = 1048573;
const SMALL_BLOCK_VALUES = 65521;
/** Smaller checkpoints get the small block, which is made in milliseconds. */
const SMALL_CHECKPOINT_VALUES = 16 * BLOCK_VALUES;
const EMBEDDING = 'model.embed_tokens.weight';

/** Returns a function from a tensor to a stream of its bytes. Equal seeds and calls give equal bytes. */
export function createWeightSource({ seed, dtype, parameters, embeddingScale = 1 }) {
  const blockValues = parameters < SMALL_CHECKPOINT_VALUES ? SMALL_BLOCK_VALUES : BLOCK_VALUES;
  const random = createRandom(seed);
  const normal = normalValues(blockValues, random);
  const ones = encodeFloats(new Float32Array(blockValues).fill(1), dtype);
  const blocks = new Map();

  /** Vectors are norms: ones. A matrix [rows, cols] keeps the size of what it multiplies. */
  function blockFor({ name, shape }) {
    if (shape.length === 1) return ones;
    const deviation = (name === EMBEDDING ? embeddingScale : 1) / Math.sqrt(shape[1]);
    let block = blocks.get(deviation);
    if (!block) blocks.set(deviation, (block = encodeFloats(normal, dtype, deviation)));
    return block;
  }

  return (tensor) => {
    const valueCount = tensor.shape.reduce((product, size) => product * size, 1);
    const start = (random() % blockValues) * BYTES_PER_VALUE[dtype];
    return repeat(blockFor(tensor), start, valueCount * BYTES_PER_VALUE[dtype]);
  };
}

async function* repeat(block, start, byteLength) {
  let left = byteLength;
  let offset = start;
  while (left > 0) {
    const chunk = block.subarray(offset, Math.min(block.length, offset + left));
    yield chunk;
    left -= chunk.length;
    offset = 0;
  }
}
