// Records ops as commands. Every shape is checked here, once, for all backends; model code reads as
// mathematics and never touches a device.

import { alignElements, placeInArena, type Lifetime } from './arena-plan.js';
import type { Activation } from './command.js';
import { MAX_HELD_ROWS, type ExpertProgram, type RecordedCommand } from './experts.js';
import {
  expectMatrix,
  expectRouting,
  expectShape,
  expectVector,
  expectWhole,
  invalid,
  matrixShape,
  vectorLength,
} from './record-checks.js';
import {
  expectAttention,
  expectGatedDelta,
  expectLatentAttention,
  expectNorm,
  expectRope,
  expectUngroup,
  type NormOperands,
} from './record-op-checks.js';
import type {
  AttentionOptions,
  ExpertsOptions,
  GatedDeltaInputs,
  GatedDeltaOptions,
  LatentAttentionOptions,
  LayerNormOptions,
  LinearOptions,
  NormOptions,
  RmsNormOptions,
  RopeOptions,
} from './record-options.js';
import { expectExpertCommands, tensorsOf } from './recorded-tensors.js';
import { Tensor, type Storage } from './tensor.js';
import type { WeightRef } from './weight.js';

/** Recorded commands whose tensors have their places in an arena of `arenaElements`. */
export interface Program {
  readonly commands: readonly RecordedCommand<WeightRef>[];
  readonly arenaElements: number;
}

/**
 * Records one program. Inputs are declared first: they keep their place for the whole program and have
 * the same place in every program that declares the same inputs, which is how state crosses programs.
 *
 * @example
 * const rec = new Recorder();
 * const x = rec.input(tokens, 64);
 * rec.accumulate(x, rec.linear(rec.rmsNorm(x, { weight, eps: 1e-5 }), matrix));
 * const program = rec.finish();
 */
export class Recorder {
  readonly #commands: RecordedCommand<WeightRef>[] = [];
  readonly #lifetimes = new Map<Storage, Lifetime>();
  readonly #pinned = new Set<Storage>();
  /** Tensors of an expert's program, in order: made by the first expert, used again by the others. */
  readonly #shared: { readonly tensors: Tensor[]; next: number } | undefined;
  #inputElements = 0;
  #finished = false;

  constructor(shared?: { readonly tensors: Tensor[] }) {
    this.#shared = shared && { tensors: shared.tensors, next: 0 };
  }

  /** A tensor that is alive before and after this program. */
  input(rows: number, cols: number): Tensor {
    if (this.#commands.length > 0) throw invalid('Expected every input to be declared before the first op');
    if (this.#shared) throw invalid('Expected an expert to declare no input beside the one it is given');
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
    this.#push({ op: 'embedding', table, ids, out });
  }

  /** {@link RmsNormCommand}: [T, cols]. */
  rmsNorm(x: Tensor, options: RmsNormOptions): Tensor {
    const { weightOffset = 0 } = options;
    return this.#push({ op: 'rmsNorm', weightOffset, ...this.#norm('rmsNorm', x, options) });
  }

  /** {@link LayerNormCommand}: [T, cols]. */
  layerNorm(x: Tensor, options: LayerNormOptions): Tensor {
    const { weight, bias } = options;
    if (bias) expectVector(bias, weight ? vectorLength(weight) : x.cols);
    return this.#push({ op: 'layerNorm', bias, ...this.#norm('layerNorm', x, options) });
  }

  /** {@link LinearCommand}: [T, K] → [T, N]. */
  linear(x: Tensor, weight: WeightRef, { bias, normalizeRows = false }: LinearOptions = {}): Tensor {
    const [rows] = matrixShape(weight);
    expectMatrix(weight, rows, x.cols);
    if (bias) expectVector(bias, rows);
    if (bias && normalizeRows)
      throw invalid(`Expected no bias beside normalizeRows but received ${bias.name}`);
    return this.#push({ op: 'linear', x, weight, bias, normalizeRows, out: this.#tensor(x.rows, rows) });
  }

  /** {@link LinearTransposedCommand}: [T, K] → [T, N] by a weight [K, N]. */
  linearTransposed(x: Tensor, weight: WeightRef, { bias }: Pick<LinearOptions, 'bias'> = {}): Tensor {
    const [, cols] = matrixShape(weight);
    expectMatrix(weight, x.cols, cols);
    if (bias) expectVector(bias, cols);
    const out = this.#tensor(x.rows, cols);
    return this.#push({ op: 'linearTransposed', x, weight, bias, accumulate: false, out });
  }

  /** {@link RopeCommand}, in place. */
  rope(x: Tensor, options: RopeOptions): Tensor {
    const { rotaryStart = 0 } = options;
    expectRope(x, { ...options, rotaryStart });
    return this.#push({ op: 'rope', x, ...options, rotaryStart });
  }

  /** {@link AttentionCommand}: [T, heads · headDim]. */
  attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor {
    const { heads, headDim, window, chunk, softcap, sinks, alibiSlopes } = options;
    expectAttention({ q, k, v }, options);
    const out = this.#tensor(q.rows, heads * headDim);
    const given = { window, chunk, softcap, sinks, alibiSlopes };
    return this.#push({ op: 'attention', q, k, v, out, ...options, ...given });
  }

  /** {@link LatentAttentionCommand}: [T, heads · valueDim]. */
  latentAttention(q: Tensor, latent: Tensor, options: LatentAttentionOptions): Tensor {
    expectLatentAttention(q, latent, options);
    const out = this.#tensor(q.rows, options.heads * options.valueDim);
    return this.#push({ op: 'latentAttention', q, latent, out, ...options });
  }

  /** {@link ShortConvCommand}: [T, channels]. */
  shortConv(x: Tensor, weight: WeightRef, options: { layer: number; bias?: WeightRef | undefined }): Tensor {
    const { layer, bias } = options;
    const [, width] = matrixShape(weight);
    expectMatrix(weight, x.cols, width);
    expectWhole('shortConv', weight);
    if (bias) expectVector(bias, x.cols);
    return this.#push({ op: 'shortConv', layer, x, weight, bias, out: this.#tensor(x.rows, x.cols) });
  }

  /** {@link GatedDeltaCommand}: [T, valueHeads · valueDim]. */
  gatedDelta(inputs: GatedDeltaInputs, options: GatedDeltaOptions): Tensor {
    const { v } = inputs;
    expectGatedDelta(inputs, options);
    return this.#push({ op: 'gatedDelta', ...inputs, out: this.#tensor(v.rows, v.cols), ...options });
  }

  /** {@link GluCommand}, written over `gate`. */
  glu(gate: Tensor, up: Tensor, activation: Activation): Tensor {
    expectShape('glu up', up, gate.rows, gate.cols);
    return this.#push({ op: 'glu', gate, up, activation, out: gate });
  }

  /** {@link ClampedGluCommand}: [T, 2N] → [T, N]. */
  clampedGlu(x: Tensor, { alpha, limit }: { alpha: number; limit: number }): Tensor {
    if (x.cols % 2 !== 0)
      throw invalid(`Expected an even number of columns for clampedGlu but received ${x.cols}`);
    return this.#push({ op: 'clampedGlu', x, alpha, limit, out: this.#tensor(x.rows, x.cols / 2) });
  }

  /** {@link ActivateCommand}, in place. */
  activate(x: Tensor, activation: Activation): Tensor {
    return this.#push({ op: 'activate', x, activation, out: x });
  }

  /** {@link SigmoidGateCommand}, written over `x`. */
  sigmoidGate(x: Tensor, gate: Tensor): Tensor {
    expectShape('sigmoid gate', gate, x.rows, gate.cols === 1 ? 1 : x.cols);
    return this.#push({ op: 'sigmoidGate', x, gate, out: x });
  }

  /** {@link SoftcapCommand}, in place. */
  softcap(x: Tensor, cap: number): Tensor {
    if (!(cap > 0)) throw invalid(`Expected a cap above 0 but received ${cap}`);
    return this.#push({ op: 'softcap', x, cap });
  }

  /** {@link ScaleCommand}, in place. */
  scale(x: Tensor, value: number): Tensor {
    return this.#push({ op: 'scale', x, value });
  }

  /** {@link ScaleRowsCommand}, in place. */
  scaleRows(x: Tensor, scales: Tensor): Tensor {
    expectShape('row scales', scales, x.rows, 1);
    return this.#push({ op: 'scaleRows', x, scales });
  }

  /** {@link AccumulateCommand}: x += y. */
  accumulate(x: Tensor, y: Tensor): Tensor {
    expectShape('accumulated tensor', y, x.rows, x.cols);
    return this.#push({ op: 'accumulate', x, y });
  }

  /** {@link UngroupCommand}: [T, groups · count]. */
  ungroup(x: Tensor, options: { groupWidth: number; start: number; count: number }): Tensor {
    const { groupWidth, count } = options;
    expectUngroup(x, options);
    const out = this.#tensor(x.rows, (x.cols / groupWidth) * count);
    return this.#push({ op: 'ungroup', x, ...options, out });
  }

  /** {@link GatherRowsCommand}: [indices.length, cols]. */
  gatherRows(x: Tensor, indices: Uint32Array): Tensor {
    for (const index of indices) {
      if (index >= x.rows) throw invalid(`Expected a row below ${x.rows} but received ${index}`);
    }
    return this.#push({ op: 'gatherRows', x, indices, out: this.#tensor(indices.length, x.cols) });
  }

  /** {@link ExpertsCommand}: [T, D]. `logits` [T, E] is one column per expert. */
  experts(x: Tensor, logits: Tensor, options: ExpertsOptions): Tensor {
    const { routing, count, record } = options;
    expectShape('router logits', logits, x.rows, count);
    expectRouting(routing, count);
    const tensors: Tensor[] = [];
    const recordExpert = (expert: number): ExpertProgram<WeightRef> => {
      const known = tensors.length;
      const rec = new Recorder({ tensors });
      const input = rec.#tensor(x.rows, x.cols);
      const output = record(rec, input, expert);
      if (known > 0 && tensors.length > known) {
        throw invalid(
          `Expected the ${known} tensors of the first expert for expert ${expert} but received ${tensors.length}`,
        );
      }
      expectShape(`output of expert ${expert}`, output, x.rows, x.cols);
      return { commands: expectExpertCommands(rec.#commands, tensors), input, output };
    };
    const out = this.#tensor(x.rows, x.cols);
    const held = this.#tensor(Math.min(x.rows * routing.topK, MAX_HELD_ROWS), x.cols);
    this.#push({ op: 'fill', x: out, value: 0 });
    recordExpert(0);
    return this.#push({ op: 'experts', x, logits, out, held, routing, record: recordExpert }, tensors);
  }

  /** Decides every tensor's place. Nothing can be recorded afterwards. */
  finish(): Program {
    this.#finished = true;
    const arenaElements = placeInArena([...this.#lifetimes.values()], this.#inputElements);
    return { commands: this.#commands, arenaElements };
  }

  #norm(op: string, x: Tensor, options: NormOptions): NormOperands {
    const { weight, eps } = options;
    const { groupWidth = weight ? vectorLength(weight) : x.cols, out = this.#tensor(x.rows, x.cols) } =
      options;
    const norm = { x, weight, groupWidth, eps, out };
    expectNorm(op, norm);
    return norm;
  }

  #tensor(rows: number, cols: number): Tensor {
    const shared = this.#shared;
    const known = shared?.tensors[shared.next];
    if (shared) shared.next += 1;
    if (known) {
      expectShape('tensor of every expert', known, rows, cols);
      return known;
    }
    const tensor = new Tensor({ elements: rows * cols, offset: -1 }, rows, cols, cols, 0);
    shared?.tensors.push(tensor);
    return tensor;
  }

  #push(command: RecordedCommand<WeightRef>, scratch: readonly Tensor[] = []): Tensor {
    if (this.#finished) throw invalid('Expected no op after finish()');
    const index = this.#commands.length;
    for (const { storage } of [...tensorsOf(command), ...scratch]) {
      if (this.#pinned.has(storage)) continue;
      const life = this.#lifetimes.get(storage);
      if (life) life.last = Math.max(life.last, index);
      else this.#lifetimes.set(storage, { storage, first: index, last: index });
    }
    this.#commands.push(command);
    return 'out' in command ? command.out : command.x;
  }
}
