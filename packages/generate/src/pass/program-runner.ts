// Runs one recorded program with weights that arrive tile by tile: a linear over a matrix becomes one
// linear per block of rows that is in memory, each filling its slice of the output, and a mixture of
// experts becomes the work of the experts its rows chose.
//
//   recorded      linear(x, W)                      ─►  out
//   submitted     linear(x, W[0:a]) linear(x, W[a:b]) …   out[:, 0:a] out[:, a:b] …
//
// Nothing is awaited but tiles that are not there yet and routing decisions.

import {
  byteLengthOf,
  type Command,
  type ExpertsCommand,
  type LinearCommand,
  type Program,
  type RecordedCommand,
  type WeightRef,
  type WeightSlice,
} from '@airllm/backend';
import type { LayerStore, TileLease, TilePart } from '@airllm/layer-store';
import { routeExperts } from './route.js';
import type { Submitter } from './submitter.js';

export class ProgramRunner {
  readonly #store: LayerStore;
  readonly #submitter: Submitter;
  #current: TileLease | undefined;

  constructor(store: LayerStore, submitter: Submitter) {
    this.#store = store;
    this.#submitter = submitter;
  }

  /** Submits the whole program; it may still be running on the device when this settles. */
  async run(program: Program): Promise<void> {
    try {
      for (const command of program.commands) await this.#lower(command);
    } finally {
      this.#letGo();
      this.#submitter.flush();
    }
  }

  #lower(command: RecordedCommand<WeightRef>): Promise<void> | void {
    switch (command.op) {
      case 'linear':
        return this.#linear(command);
      case 'experts':
        return this.#experts(command);
      case 'rmsNorm':
        return this.#submitter.push({ ...command, weight: this.#store.vector(command.weight.name) });
      case 'embedding':
        throw new TypeError('Expected embedding rows to be read by row, not as a recorded command');
      case 'rope':
      case 'attention':
      case 'glu':
      case 'accumulate':
      case 'fill':
      case 'gatherRows':
      case 'scatterAddRows':
        return this.#submitter.push(command);
    }
  }

  async #linear(command: LinearCommand<WeightRef>): Promise<void> {
    const bias = command.bias && this.#store.vector(command.bias.name);
    for (const part of this.#store.parts(command.weight.name)) {
      const lease = this.#held(part) ?? (await this.#take(part));
      const block: Command<WeightSlice> = {
        op: 'linear',
        x: command.x,
        weight: lease.slice(part),
        bias: bias && vectorRange(bias, part.rowStart, part.rowCount),
        out: command.out.columns(part.rowStart, part.rowCount),
      };
      this.#submitter.push(block);
    }
  }

  async #experts(command: ExpertsCommand<WeightRef>): Promise<void> {
    const { x, logits, out, experts, routing, activation, scratch } = command;
    this.#letGo();
    this.#submitter.flush();
    const routed = routeExperts(await this.#submitter.arena.read(logits), experts.length, routing);
    const weightsOf = (expert: number): { gate: WeightRef; up: WeightRef; down: WeightRef } => {
      const weights = experts[expert];
      if (!weights) throw new RangeError(`Expected an expert below ${experts.length} but received ${expert}`);
      return weights;
    };
    this.#store.expectExperts(
      routed.flatMap(({ expert }) => {
        const { gate, up, down } = weightsOf(expert);
        return [gate.name, up.name, down.name];
      }),
    );
    for (const { expert, rows, scales } of routed) {
      const { gate, up, down } = weightsOf(expert);
      const [gathered, gateOut, upOut, downOut] = [scratch.x, scratch.gate, scratch.up, scratch.out].map(
        (tensor) => tensor.rowRange(0, rows.length),
      );
      if (!gathered || !gateOut || !upOut || !downOut) throw new TypeError('Expected four scratch tensors');
      this.#submitter.push({ op: 'gatherRows', x, indices: rows, out: gathered });
      await this.#linear({ op: 'linear', x: gathered, weight: gate, bias: undefined, out: gateOut });
      await this.#linear({ op: 'linear', x: gathered, weight: up, bias: undefined, out: upOut });
      this.#submitter.push({ op: 'glu', gate: gateOut, up: upOut, activation, out: gateOut });
      await this.#linear({ op: 'linear', x: gateOut, weight: down, bias: undefined, out: downOut });
      this.#submitter.push({ op: 'scatterAddRows', x: downOut, indices: rows, scales, out });
    }
  }

  /** The lease of this part's tile, when the previous part was of the same tile or the tile is in memory. */
  #held(part: TilePart): TileLease | undefined {
    if (this.#current?.tile === part.tile) return this.#current;
    this.#letGo();
    this.#current = this.#store.tryAcquire(part.tile);
    return this.#current;
  }

  async #take(part: TilePart): Promise<TileLease> {
    this.#submitter.flush();
    const lease = await this.#store.acquire(part.tile);
    this.#current = lease;
    return lease;
  }

  /** Done with the current tile: its memory is free when the commands pushed so far have run. */
  #letGo(): void {
    const lease = this.#current;
    if (!lease) return;
    this.#current = undefined;
    this.#submitter.releaseAfter(lease);
    if (lease.streamed) this.#submitter.flush();
  }
}

function vectorRange(vector: WeightSlice, start: number, count: number): WeightSlice {
  return { ...vector, byteOffset: vector.byteOffset + byteLengthOf(vector.dtype, start), cols: count };
}
