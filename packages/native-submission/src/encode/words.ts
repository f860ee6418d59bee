// The words of a submission as they are collected: numbers, tensors, weights.

import {
  BackendError,
  isGguf,
  isPacked,
  type Tensor,
  type WeightMemory,
  type WeightSlice,
  type WeightSpan,
} from '@airllm/backend';
import { DTYPE } from './opcodes.js';
import { packingWords } from './packing-words.js';

export class Words {
  readonly #words: number[] = [];
  readonly #memoryOf: (memory: WeightMemory) => number;

  /** `memoryOf` throws for memory of another backend. */
  constructor(memoryOf: (memory: WeightMemory) => number) {
    this.#memoryOf = memoryOf;
  }

  numbers(...values: number[]): void {
    for (const value of values) this.#words.push(value);
  }

  list(values: Iterable<number>): void {
    for (const value of values) this.#words.push(value);
  }

  flag(value: boolean): void {
    this.#words.push(value ? 1 : 0);
  }

  tensors(...tensors: Tensor[]): void {
    for (const tensor of tensors) this.numbers(...tensorWords(tensor));
  }

  weight({ memory, byteOffset, dtype, rows, cols, scales, packing }: WeightSlice): void {
    this.numbers(this.#memoryOf(memory), byteOffset, DTYPE[dtype], rows, cols);
    this.numbers(scales ? (scales.dtype === 'bf16' ? 2 : 1) : 0);
    if (scales) {
      const { blockRows, blockCols, firstRow } = scales;
      this.numbers(...this.#span(scales), scales.cols, blockRows, blockCols, firstRow);
    }
    const needed = isPacked(dtype) && !isGguf(dtype) ? dtype : undefined;
    if (packing?.kind !== needed) {
      throw invalid(
        `Expected ${needed ? `a packing of ${needed}` : 'no packing'} for a weight in ${dtype} but received ${packing?.kind ?? 'none'}`,
      );
    }
    if (packing) this.list(packingWords(packing, this.#span));
  }

  readonly #span = ({ memory, byteOffset }: WeightSpan): [number, number] => [
    this.#memoryOf(memory),
    byteOffset,
  ];

  optionalWeight(weight: WeightSlice | undefined): void {
    this.flag(weight !== undefined);
    if (weight) this.weight(weight);
  }

  /** One value for each of `count` rows or heads. */
  each(values: ArrayLike<number> & Iterable<number>, count: number): void {
    if (values.length !== count) {
      throw invalid(`Expected one value for each of ${count} rows or heads but received ${values.length}`);
    }
    this.list(values);
  }

  finish(): Float64Array {
    return new Float64Array(this.#words);
  }
}

/**
 * The four words of a tensor.
 *
 * @throws BackendError `INVALID_OPERAND` for a tensor of an unfinished program.
 */
export function tensorWords(tensor: Tensor): [number, number, number, number] {
  if (tensor.storage.offset < 0) throw invalid('Expected a tensor of a finished program');
  return [tensor.offset, tensor.rows, tensor.cols, tensor.rowStride];
}

function invalid(message: string): BackendError {
  return new BackendError('INVALID_OPERAND', message);
}
