// Adds up the outputs of experts in the order of their numbers, whatever order they are computed in: the sum has the same
// bits whether an expert was in memory or had to be read. What comes before its turn is held.
//
//   computed   2 (in memory)   0   1        out = ((0 + y0) + y1) + y2
//              └─ held until 0 and 1 are there

import type { Command, ExpertsCommand, Tensor } from '@airllm/backend';
import type { ExpertRows } from './route.js';

type Mixture<W> = Pick<ExpertsCommand<W>, 'out' | 'held' | 'routing'>;

export class ExpertSum {
  readonly #mixture: Mixture<unknown>;
  readonly #experts: readonly ExpertRows[];
  readonly #held = new Map<number, Tensor>();
  /** The first that is not in the sum. */
  #next = 0;
  #heldRows = 0;

  /** @param experts by ascending number */
  constructor(mixture: Mixture<unknown>, experts: readonly ExpertRows[]) {
    this.#mixture = mixture;
    this.#experts = experts;
  }

  /** `order` where every output could be held, and ascending where it could not. */
  feasible(order: readonly number[]): readonly number[] {
    const rows = this.#experts.reduce((sum, expert) => sum + expert.rows.length, 0);
    return rows <= this.#mixture.held.rows ? order : this.#experts.map((_, index) => index);
  }

  /** Commands that bring the output of the expert at `index` into the sum, and those that waited for it. */
  add(index: number, output: Tensor): Command<never>[] {
    if (index !== this.#next) return [this.#hold(index, output)];
    const commands = [this.#scatter(index, output)];
    for (let next = (this.#next = index + 1); ; next = this.#next += 1) {
      const held = this.#held.get(next);
      if (!held) return commands;
      commands.push(this.#scatter(next, held));
    }
  }

  /** Copies an output to where the next experts do not write. */
  #hold(index: number, output: Tensor): Command<never> {
    const held = this.#mixture.held.rowRange(this.#heldRows, output.rows);
    this.#heldRows += output.rows;
    this.#held.set(index, held);
    const indices = Uint32Array.from({ length: output.rows }, (_, row) => row);
    return { op: 'gatherRows', x: output, indices, scales: undefined, out: held };
  }

  #scatter(index: number, x: Tensor): Command<never> {
    const { routing, out } = this.#mixture;
    const expert = this.#experts[index];
    if (!expert)
      throw new RangeError(`Expected an expert below ${this.#experts.length} but received ${index}`);
    const scales = routing.scaleInput ? new Float32Array(x.rows).fill(1) : expert.scales;
    return { op: 'scatterAddRows', x, indices: expert.rows, scales, out };
  }
}
