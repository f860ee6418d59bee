// Runs one recorded program with weights that arrive tile by tile: a linear over a matrix becomes one
// linear per block of rows that is in memory, each filling its slice of the output (or adding its part of the sums
// where the checkpoint keeps the weight input-major), and a mixture of experts becomes the work of the experts its rows
// chose: announced as soon as the router's logits are there, those in memory first.
//
//   recorded      linear(x, W)                      ─►  out
//   submitted     linear(x, W[0:a]) linear(x, W[a:b]) …   out[:, 0:a] out[:, a:b] …
//
// Nothing is awaited but tiles that are not there yet and routing decisions.

import {
  byteLengthOf,
  Tensor,
  type Command,
  type ExpertProgram,
  type ExpertsCommand,
  type LinearCommand,
  type LinearTransposedCommand,
  type Program,
  type RecordedCommand,
  type WeightRef,
  type WeightSlice,
} from '@airllm/backend';
import type { LayerStore, TileKind, TileLease, TilePart } from '@airllm/layer-store';
import { ExpertSum } from './expert-sum.js';
import { findRouters } from './find-routers.js';
import { PreviewRecord } from './preview-record.js';
import type { RouterPreview } from './preview-router.js';
import { routeExperts, type ExpertRows } from './route.js';
import type { Submitter } from './submitter.js';

/** What a router chose: experts in the order of their work. */
interface RoutedMixture {
  readonly sum: ExpertSum;
  readonly work: readonly (ExpertRows & {
    readonly index: number;
    readonly program: ExpertProgram<WeightRef>;
  })[];
}

/** Router logits of the next mixture, on their way. */
interface Preview {
  readonly mixture: ExpertsCommand<WeightRef>;
  readonly values: Promise<Float32Array | undefined>;
}

export class ProgramRunner {
  readonly #store: LayerStore;
  readonly #submitter: Submitter;
  /** The tile at hand of each kind: a mixture leaves the dense tile it stands in where it is. */
  readonly #current: Record<TileKind, TileLease | undefined> = { dense: undefined, expert: undefined };

  /** Those whose experts were announced and not yet computed. */
  readonly #routed = new Map<ExpertsCommand<WeightRef>, RoutedMixture>();

  readonly #previews: PreviewRecord;
  #preview: RouterPreview | undefined;
  /** Experts of the next mixture, as its preview had them. */
  #foreseen: ReadonlySet<number> | undefined;

  constructor(store: LayerStore, submitter: Submitter, previews = new PreviewRecord()) {
    this.#store = store;
    this.#submitter = submitter;
    this.#previews = previews;
  }

  /** Submits the whole program; it may still be running on the device when this settles. `preview`: of the program after it. */
  async run(program: Program, preview?: RouterPreview): Promise<void> {
    this.#preview = preview;
    try {
      const routers = findRouters(program.commands);
      for (const command of program.commands) {
        await this.#lower(command);
        const mixture = routers.get(command);
        if (mixture) this.#routed.set(mixture, await this.#route(mixture));
      }
    } finally {
      this.#routed.clear();
      this.#letGo('dense');
      this.#letGo('expert');
      this.#submitter.flush();
    }
  }

  #lower(command: RecordedCommand<WeightRef>): Promise<void> | void {
    switch (command.op) {
      case 'linear':
        return this.#linear(command);
      case 'linearTransposed':
        return this.#linearTransposed(command);
      case 'latentAttention':
        return this.#whole(command.kvB, (kvB) => ({ ...command, kvB }));
      case 'shortConv': {
        const bias = this.#vector(command.bias);
        return this.#whole(command.weight, (weight) => ({ ...command, weight, bias }));
      }
      case 'experts':
        return this.#experts(command);
      case 'rmsNorm':
        return this.#submitter.push({ ...command, weight: this.#vector(command.weight) });
      case 'layerNorm':
        return this.#submitter.push({
          ...command,
          weight: this.#vector(command.weight),
          bias: this.#vector(command.bias),
        });
      case 'attention':
        return this.#submitter.push({ ...command, sinks: this.#vector(command.sinks) });
      case 'gatedDelta': {
        const aLog = this.#store.vector(command.aLog.name);
        return this.#submitter.push({ ...command, aLog, dtBias: this.#store.vector(command.dtBias.name) });
      }
      case 'embedding':
        throw new TypeError('Expected embedding rows to be read by row, not as a recorded command');
      case 'rope':
      case 'glu':
      case 'clampedGlu':
      case 'activate':
      case 'sigmoidGate':
      case 'softcap':
      case 'scale':
      case 'scaleRows':
      case 'accumulate':
      case 'fill':
      case 'ungroup':
      case 'gatherRows':
      case 'scatterAddRows':
        return this.#submitter.push(command);
    }
  }

  /** Undefined where the command has none. */
  readonly #vector = (ref: WeightRef | undefined): WeightSlice | undefined =>
    ref && this.#store.vector(ref.name);

  async #linear(command: LinearCommand<WeightRef>): Promise<void> {
    const { x, weight, out, normalizeRows } = command;
    const parts = this.#store.parts(weight.name);
    if (parts[0]?.weight.packing?.inputMajor) {
      if (normalizeRows)
        throw new TypeError(`Expected ${weight.name} output-major, since its rows are normalized`);
      return this.#linearTransposed({
        ...{ x, weight, bias: command.bias, out },
        op: 'linearTransposed',
        accumulate: false,
      });
    }
    const bias = this.#vector(command.bias);
    for (const part of parts) {
      const { rowStart, rowCount } = part;
      this.#submitter.push({
        ...command,
        weight: this.#store.slice(await this.#lease(part), part),
        bias: bias && vectorRange(bias, rowStart, rowCount),
        out: command.out.columns(rowStart, rowCount),
      });
    }
  }

  /** Blocks of rows of an input-major weight are blocks of k: the first begins the sums, the others go on. */
  async #linearTransposed(command: LinearTransposedCommand<WeightRef>): Promise<void> {
    const bias = this.#vector(command.bias);
    for (const part of this.#store.parts(command.weight.name)) {
      const { rowStart, rowCount } = part;
      this.#submitter.push({
        ...command,
        x: command.x.columns(rowStart, rowCount),
        weight: this.#store.slice(await this.#lease(part), part),
        bias: rowStart === 0 ? bias : undefined,
        accumulate: command.accumulate || rowStart > 0,
      });
    }
  }

  /** An op that needs all rows of a matrix at once. */
  async #whole(ref: WeightRef, toCommand: (weight: WeightSlice) => Command<WeightSlice>): Promise<void> {
    const [part, ...others] = this.#store.parts(ref.name);
    if (!part || others.length > 0) throw new RangeError(`Expected ${ref.name} to be declared whole`);
    this.#submitter.push(toCommand(this.#store.slice(await this.#lease(part), part)));
  }

  /** Waits for the router and announces the experts it chose, so that they are read while what does not need them computes. */
  async #route(mixture: ExpertsCommand<WeightRef>): Promise<RoutedMixture> {
    const { logits, record } = mixture;
    this.#submitter.flush();
    const reading = this.#submitter.arena.read(logits);
    const ahead = this.#lookAhead();
    const experts = this.#choose(mixture, await reading).map((rows) => ({
      ...rows,
      program: record(rows.expert),
    }));
    if (this.#foreseen) {
      this.#previews.judge(
        this.#foreseen,
        experts.map(({ expert }) => expert),
      );
      this.#foreseen = undefined;
    }
    const sum = new ExpertSum(mixture, experts);
    const names = experts.map(({ program }) => program.commands.flatMap(matrixNames));
    const held = names.flatMap((matrices, i) => (this.#store.holdsExpert(matrices) ? [i] : []));
    const order = sum.feasible([...new Set([...held, ...experts.keys()])]);
    this.#store.expectExperts(order.flatMap((i) => names[i] ?? []));
    if (ahead) await this.#foresee(ahead);
    return { sum, work: order.flatMap((index) => (experts[index] ? [{ index, ...experts[index] }] : [])) };
  }

  #choose({ logits, routing }: ExpertsCommand<WeightRef>, values: Float32Array): ExpertRows[] {
    const bias = routing.correctionBias && this.#store.vectorValues(routing.correctionBias.name);
    return routeExperts(values, logits.cols, routing, bias);
  }

  /** Has the preview computed behind what this mixture waits for, where the next router is in memory. */
  #lookAhead(): Preview | undefined {
    const preview = this.#preview;
    if (!preview || !this.#store.prefetches || !this.#previews.isTrusted) return undefined;
    const { norm, router, mixture } = preview;
    const [part, ...others] = this.#store.parts(router.weight.name);
    if (!part || others.length > 0 || part.weight.packing?.inputMajor) return undefined;
    const lease = this.#store.tryBorrow(part.tile);
    if (!lease) return undefined;
    void this.#lower(norm);
    const bias = this.#vector(router.bias);
    this.#submitter.push({ ...router, weight: this.#store.slice(lease, part), bias });
    this.#submitter.releaseAfter(lease);
    this.#submitter.flush();
    // A failure of the device is heard of by whoever waits for its submissions.
    const values = this.#submitter.arena.read(router.out).catch(() => undefined);
    return { mixture, values };
  }

  /** Announces what the next mixture will probably want, the likeliest first. */
  async #foresee({ mixture, values }: Preview): Promise<void> {
    const logits = await values;
    if (!logits) return;
    const weightOf = ({ scales }: ExpertRows): number => Math.max(...scales);
    const experts = this.#choose(mixture, logits).sort((a, b) => weightOf(b) - weightOf(a));
    this.#foreseen = new Set(experts.map(({ expert }) => expert));
    this.#store.foreseeExperts(
      experts.flatMap(({ expert }) => mixture.record(expert).commands.flatMap(matrixNames)),
    );
  }

  async #experts(mixture: ExpertsCommand<WeightRef>): Promise<void> {
    const { x, routing } = mixture;
    const { sum, work } = this.#routed.get(mixture) ?? (await this.#route(mixture));
    this.#routed.delete(mixture);
    for (const { index, rows, scales, program } of work) {
      const count = rows.length;
      const input = program.input.rowRange(0, count);
      const inputScales = routing.scaleInput ? scales : undefined;
      this.#submitter.push({ op: 'gatherRows', x, indices: rows, scales: inputScales, out: input });
      for (const expertCommand of program.commands) await this.#lower(firstRows(expertCommand, count));
      for (const command of sum.add(index, program.output.rowRange(0, count))) this.#submitter.push(command);
    }
    this.#letGo('expert');
  }

  /** The lease of this part's tile: the one at hand, or the next, waited for where it is not in memory yet. */
  async #lease({ tile }: TilePart): Promise<TileLease> {
    const kind = this.#store.kindOf(tile);
    const current = this.#current[kind];
    if (current?.tile === tile) return current;
    this.#letGo(kind);
    let lease = this.#store.tryAcquire(tile);
    if (!lease) {
      this.#submitter.flush();
      lease = await this.#store.acquire(tile);
    }
    this.#current[kind] = lease;
    return lease;
  }

  /** Done with the current tile: its memory is free when the commands pushed so far have run. */
  #letGo(kind: TileKind): void {
    const lease = this.#current[kind];
    if (!lease) return;
    this.#current[kind] = undefined;
    this.#submitter.releaseAfter(lease);
    if (lease.streamed) this.#submitter.flush();
  }
}

function vectorRange(vector: WeightSlice, start: number, count: number): WeightSlice {
  return { ...vector, byteOffset: vector.byteOffset + byteLengthOf(vector.dtype, start), cols: count };
}

/** The command on the first `count` rows of its tensors. */
function firstRows(command: Command<WeightRef>, count: number): Command<WeightRef> {
  const operands = Object.entries(command).map(([name, operand]: [string, unknown]) => [
    name,
    operand instanceof Tensor ? operand.rowRange(0, count) : operand,
  ]);
  return Object.fromEntries(operands) as Command<WeightRef>;
}

/** Names of the matrices that a command reads. */
function matrixNames(command: Command<WeightRef>): string[] {
  return command.op === 'linear' || command.op === 'linearTransposed' ? [command.weight.name] : [];
}
