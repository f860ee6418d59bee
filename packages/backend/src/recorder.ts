// Records ops as commands. Every shape is checked here, once, for all backends; model code reads as
// mathematics and never touches a device.

import { placeInArena, alignElements, type Lifetime } from './arena-plan.js';
import type { Activation, ExpertRef, RecordedCommand, RoutingRule } from './command.js';
import { BackendError } from './errors.js';
import { Tensor, type Storage } from './tensor.js';
import type { WeightRef } from './weight.js';

/** Recorded commands whose tensors have their places in an arena of `arenaElements`. */
export interface Program {
  readonly commands: readonly RecordedCommand<WeightRef>[];
  readonly arenaElements: number;
}

export interface RopeOptions {
  cos: Tensor;
  sin: Tensor;
  headDim: number;
  rotaryDim: number;
  style: 'half' | 'interleaved';
}

export interface AttentionOptions {
  layer: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  scale: number;
  window?: number | undefined;
}

export interface ExpertsOptions {
  routing: RoutingRule;
  activation: Activation;
  experts: readonly ExpertRef<WeightRef>[];
}

/**
 * Records one program. Inputs are declared first: they keep their place for the whole program and have
 * the same place in every program that declares the same inputs, which is how state crosses programs.
 *
 * @example
 * const rec = new Recorder();
 * const x = rec.input(tokens, 64);
 * rec.accumulate(x, rec.linear(rec.rmsNorm(x, norm, 1e-5), weight));
 * const program = rec.finish();
 */
export class Recorder {
  readonly #commands: RecordedCommand<WeightRef>[] = [];
  readonly #lifetimes = new Map<Storage, Lifetime>();
  readonly #pinned = new Set<Storage>();
  #inputElements = 0;
  #finished = false;

  /** A tensor that is alive before and after this program. */
  input(rows: number, cols: number): Tensor {
    if (this.#commands.length > 0) throw invalid('Expected every input to be declared before the first op');
    const storage = { elements: rows * cols, offset: this.#inputElements };
    this.#inputElements += alignElements(storage.elements);
    this.#pinned.add(storage);
    return new Tensor(storage, rows, cols, cols, 0);
  }

  /** Keeps `x` intact to the end of the program, so that it can be read back. */
  output(x: Tensor): Tensor {
    const life = this.#lifetimes.get(x.storage);
    if (life) life.last = Number.MAX_SAFE_INTEGER;
    return x;
  }

  /** {@link EmbeddingCommand} into a given tensor: ids.length × table columns. */
  embedding(table: WeightRef, ids: Uint32Array, out: Tensor): void {
    const [, cols] = matrixShape(table);
    expectShape('embedding output', out, ids.length, cols);
    this.#push({ op: 'embedding', table, ids, out }, [out]);
  }

  /** {@link RmsNormCommand}; in place with `out: x`. */
  rmsNorm(x: Tensor, weight: WeightRef, eps: number, out: Tensor = this.#tensor(x.rows, x.cols)): Tensor {
    const width = vectorLength(weight);
    if (x.cols % width !== 0) {
      throw invalid(
        `Expected columns divisible by ${width} for rmsNorm with ${weight.name} but received ${x.cols}`,
      );
    }
    expectShape('rmsNorm output', out, x.rows, x.cols);
    return this.#push({ op: 'rmsNorm', x, weight, eps, out }, [x, out]);
  }

  /** {@link LinearCommand}: [T, K] → [T, N]. */
  linear(x: Tensor, weight: WeightRef, bias?: WeightRef): Tensor {
    const [rows, cols] = matrixShape(weight);
    if (cols !== x.cols) {
      throw invalid(`Expected ${x.cols} columns for ${weight.name} but its shape is [${rows}, ${cols}]`);
    }
    if (bias && vectorLength(bias) !== rows) {
      throw invalid(`Expected length ${rows} for ${bias.name} but its shape is [${bias.shape.join(', ')}]`);
    }
    const out = this.#tensor(x.rows, rows);
    return this.#push({ op: 'linear', x, weight, bias, out }, [x, out]);
  }

  /** {@link RopeCommand}, in place. */
  rope(x: Tensor, options: RopeOptions): Tensor {
    const { cos, sin, headDim, rotaryDim } = options;
    if (x.cols % headDim !== 0 || rotaryDim % 2 !== 0 || rotaryDim > headDim) {
      throw invalid(
        `Expected whole heads and an even rotaryDim ≤ headDim for rope but received ${x.cols} columns, headDim ${headDim}, rotaryDim ${rotaryDim}`,
      );
    }
    expectShape('rope cosines', cos, x.rows, rotaryDim / 2);
    expectShape('rope sines', sin, x.rows, rotaryDim / 2);
    return this.#push({ op: 'rope', x, ...options }, [x, cos, sin]);
  }

  /** {@link AttentionCommand}: [T, heads · headDim]. */
  attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor {
    const { heads, kvHeads, headDim, window } = options;
    if (heads % kvHeads !== 0) {
      throw invalid(
        `Expected heads to be a multiple of kvHeads for attention but received ${heads} and ${kvHeads}`,
      );
    }
    if (window !== undefined && !(window >= 1)) {
      throw invalid(`Expected a window of at least 1 for attention but received ${window}`);
    }
    expectShape('attention queries', q, q.rows, heads * headDim);
    expectShape('attention keys', k, q.rows, kvHeads * headDim);
    expectShape('attention values', v, q.rows, kvHeads * headDim);
    const out = this.#tensor(q.rows, heads * headDim);
    return this.#push({ op: 'attention', q, k, v, out, ...options, window }, [q, k, v, out]);
  }

  /** {@link GluCommand}, written over `gate`. */
  glu(gate: Tensor, up: Tensor, activation: Activation): Tensor {
    expectShape('glu up', up, gate.rows, gate.cols);
    return this.#push({ op: 'glu', gate, up, activation, out: gate }, [gate, up]);
  }

  /** {@link AccumulateCommand}: x += y. */
  accumulate(x: Tensor, y: Tensor): Tensor {
    expectShape('accumulated tensor', y, x.rows, x.cols);
    this.#push({ op: 'accumulate', x, y }, [x, y]);
    return x;
  }

  /** {@link GatherRowsCommand}: [indices.length, cols]. */
  gatherRows(x: Tensor, indices: Uint32Array): Tensor {
    for (const index of indices)
      if (index >= x.rows) throw invalid(`Expected a row below ${x.rows} but received ${index}`);
    const out = this.#tensor(indices.length, x.cols);
    return this.#push({ op: 'gatherRows', x, indices, out }, [x, out]);
  }

  /** {@link ExpertsCommand}: [T, D]. `logits` [T, E] is one column per expert. */
  experts(x: Tensor, logits: Tensor, options: ExpertsOptions): Tensor {
    const { experts, routing, activation } = options;
    expectShape('router logits', logits, x.rows, experts.length);
    if (!(routing.topK >= 1 && routing.topK <= experts.length)) {
      throw invalid(`Expected topK within [1, ${experts.length}] but received ${routing.topK}`);
    }
    const [first] = experts;
    const width = first ? matrixShape(first.gate)[0] : 0;
    for (const { gate, up, down } of experts) {
      expectMatrix(gate, width, x.cols);
      expectMatrix(up, width, x.cols);
      expectMatrix(down, x.cols, width);
    }
    const out = this.#tensor(x.rows, x.cols);
    const scratch = {
      x: this.#tensor(x.rows, x.cols),
      gate: this.#tensor(x.rows, width),
      up: this.#tensor(x.rows, width),
      out: this.#tensor(x.rows, x.cols),
    };
    this.#push({ op: 'fill', x: out, value: 0 }, [out]);
    return this.#push({ op: 'experts', x, logits, out, routing, activation, experts, scratch }, [
      x,
      logits,
      out,
      ...Object.values(scratch),
    ]);
  }

  /** Decides every tensor's place. Nothing can be recorded afterwards. */
  finish(): Program {
    this.#finished = true;
    const arenaElements = placeInArena([...this.#lifetimes.values()], this.#inputElements);
    return { commands: this.#commands, arenaElements };
  }

  #tensor(rows: number, cols: number): Tensor {
    return new Tensor({ elements: rows * cols, offset: -1 }, rows, cols, cols, 0);
  }

  #push(command: RecordedCommand<WeightRef>, operands: readonly Tensor[]): Tensor {
    if (this.#finished) throw invalid('Expected no op after finish()');
    const index = this.#commands.length;
    for (const { storage } of operands) {
      if (this.#pinned.has(storage)) continue;
      const life = this.#lifetimes.get(storage);
      if (life) life.last = Math.max(life.last, index);
      else this.#lifetimes.set(storage, { storage, first: index, last: index });
    }
    this.#commands.push(command);
    return 'out' in command ? command.out : command.x;
  }
}

function expectShape(what: string, tensor: Tensor, rows: number, cols: number): void {
  if (tensor.rows !== rows || tensor.cols !== cols) {
    throw invalid(
      `Expected shape [${rows}, ${cols}] for ${what} but received [${tensor.rows}, ${tensor.cols}]`,
    );
  }
}

function expectMatrix(weight: WeightRef, rows: number, cols: number): void {
  const shape = matrixShape(weight);
  if (shape[0] !== rows || shape[1] !== cols) {
    throw invalid(`Expected shape [${rows}, ${cols}] for ${weight.name} but received [${shape.join(', ')}]`);
  }
}

function matrixShape(weight: WeightRef): [rows: number, cols: number] {
  const [rows, cols] = weight.shape;
  if (weight.shape.length !== 2 || rows === undefined || cols === undefined) {
    throw invalid(`Expected a matrix for ${weight.name} but its shape is [${weight.shape.join(', ')}]`);
  }
  return [rows, cols];
}

function vectorLength(weight: WeightRef): number {
  const [length] = weight.shape;
  if (weight.shape.length !== 1 || length === undefined) {
    throw invalid(`Expected a vector for ${weight.name} but its shape is [${weight.shape.join(', ')}]`);
  }
  return length;
}

function invalid(message: string): BackendError {
  return new BackendError('INVALID_OPERAND', message);
}
