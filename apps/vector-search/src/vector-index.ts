// Vectors in a backend's memory, and the nearest of them to a query by the cosine of the angle between them.

import {
  Recorder,
  type Arena,
  type Backend,
  type Command,
  type Tensor,
  type WeightMemory,
  type WeightSlice,
} from '@airllm/backend';

/** One vector that was found. */
export interface Match {
  /** Its row among the vectors. */
  readonly row: number;
  /** Cosine of the angle to the query, within [-1, 1]. */
  readonly score: number;
}

export class VectorIndex implements Disposable {
  readonly #backend: Backend;
  readonly #memory: WeightMemory;
  readonly #arena: Arena;
  readonly #query: Tensor;
  readonly #scores: Tensor;
  readonly #commands: readonly Command<WeightSlice>[];

  /**
   * @param vectors row-major [rows, columns], none of them zero; copied
   * @throws RangeError for sizes that do not fit together; BackendError when the backend has no memory for them
   */
  static async create(backend: Backend, vectors: Float32Array, columns: number): Promise<VectorIndex> {
    const rows = vectors.length / columns;
    if (!(columns > 0) || !Number.isInteger(rows) || rows === 0)
      throw new RangeError(
        `Expected vectors of ${columns} numbers each but received ${vectors.length} numbers`,
      );
    const host = backend.allocateWeights(vectors.byteLength);
    new Float32Array(host.bytes.buffer, host.bytes.byteOffset, vectors.length).set(vectors);
    normalizeRows(new Float32Array(host.bytes.buffer, host.bytes.byteOffset, vectors.length), columns);
    // A device with memory of its own gets them once, and not with every query.
    const memory = await backend.deviceMemory?.pin(host);
    if (memory) host.dispose();
    return new VectorIndex(backend, memory ?? host, { rows, columns });
  }

  private constructor(
    backend: Backend,
    memory: WeightMemory,
    { rows, columns }: { rows: number; columns: number },
  ) {
    const recorder = new Recorder();
    this.#query = recorder.input(1, columns);
    this.#scores = recorder.output(recorder.linear(this.#query, { name: 'vectors', shape: [rows, columns] }));
    const program = recorder.finish();
    const weight: WeightSlice = { memory, byteOffset: 0, dtype: 'f32', rows, cols: columns };
    this.#commands = program.commands.map((command) => {
      if (command.op !== 'linear') throw new TypeError(`Expected a product but recorded ${command.op}`);
      return { ...command, weight, bias: undefined };
    });
    this.#backend = backend;
    this.#memory = memory;
    this.#arena = backend.createArena(program.arenaElements);
  }

  /**
   * The `count` vectors nearest to the query, the nearest first; of equal ones the first.
   *
   * @throws RangeError for a query of another length
   */
  async search(query: Float32Array, count: number): Promise<Match[]> {
    if (query.length !== this.#query.cols)
      throw new RangeError(`Expected a query of ${this.#query.cols} numbers but received ${query.length}`);
    const unit = query.slice();
    normalizeRows(unit, unit.length);
    await this.#arena.write(this.#query, unit);
    await this.#backend.submit({ commands: this.#commands, arena: this.#arena });
    return highest(await this.#arena.read(this.#scores), count);
  }

  /** Gives its memory back; the backend is the caller's. No search may be in flight. */
  [Symbol.dispose](): void {
    this.#arena.dispose();
    this.#memory.dispose();
  }
}

function highest(scores: Float32Array, count: number): Match[] {
  const best: Match[] = [];
  for (const [row, score] of scores.entries()) {
    if (best.length === count && score <= (best.at(-1)?.score ?? Infinity)) continue;
    const lower = best.findIndex((match) => match.score < score);
    best.splice(lower < 0 ? best.length : lower, 0, { row, score });
    if (best.length > count) best.pop();
  }
  return best;
}

function normalizeRows(values: Float32Array, columns: number): void {
  for (let start = 0; start < values.length; start += columns) {
    const row = values.subarray(start, start + columns);
    const length = Math.hypot(...row);
    for (const [i, value] of row.entries()) row[i] = value / length;
  }
}
