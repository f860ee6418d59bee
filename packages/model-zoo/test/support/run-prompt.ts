// A whole prompt through a definition on the reference backend: the smallest runner that shows what a definition
// computes. Everything stays in memory and routed experts are lowered here.

import {
  byteLengthOf,
  KV_BLOCK_TOKENS,
  Recorder,
  type BatchLayout,
  type Command,
  type DType,
  type ExpertsCommand,
  type RecordedCommand,
  type WeightRef,
  type WeightSlice,
} from '@airllm/backend';
import { createReferenceBackend } from '@airllm/backend/reference';
import type { ModelDefinition, PassState } from '../../src/index.js';
import type { RawTensor } from './golden-case.js';

export interface PromptResult {
  /** After the embedding and after every layer, [T, D]. */
  readonly hidden: readonly Float32Array[];
  /** [T, V] */
  readonly logits: Float32Array;
}

export async function runPrompt(
  definition: ModelDefinition,
  tensors: ReadonlyMap<string, RawTensor>,
  ids: readonly number[],
): Promise<PromptResult> {
  const { sizes, rope } = definition;
  const rows = ids.length;
  const blocks = Math.ceil(rows / KV_BLOCK_TOKENS);
  await using backend = createReferenceBackend();

  const record = (body: (rec: Recorder, state: PassState) => void) => {
    const rec = new Recorder();
    const hidden = rec.input(rows, sizes.hiddenSize);
    const state = {
      hidden,
      cos: rec.input(rows, rope.rotaryDim / 2),
      sin: rec.input(rows, rope.rotaryDim / 2),
    };
    body(rec, state);
    return { ...rec.finish(), state };
  };
  const layers = Array.from({ length: sizes.layers }, (_, layer) =>
    record((rec, state) => definition.recordLayer(rec, state, layer)),
  );
  const embed = record((rec, { hidden }) =>
    rec.embedding(definition.embedding, Uint32Array.from(ids), hidden),
  );
  let logits;
  const head = record((rec, { hidden }) => (logits = rec.output(definition.recordHead(rec, hidden))));
  if (!logits) throw new Error('Expected recordHead to return logits');

  const arena = backend.createArena(
    Math.max(...[embed, head, ...layers].map((program) => program.arenaElements)),
  );
  const kvCache = backend.createKvCache({ layers: sizes.kv, blocks });
  const batch: BatchLayout = {
    rows,
    sequences: [
      { rowStart: 0, rowCount: rows, past: 0, blocks: Int32Array.from({ length: blocks }, (_, i) => i) },
    ],
  };

  const slices = new Map<string, WeightSlice>();
  const load = (ref: WeightRef): WeightSlice => {
    const found = slices.get(ref.name);
    if (found) return found;
    const tensor = tensors.get(ref.name);
    if (!tensor) throw new Error(`Expected a tensor ${ref.name} in the case`);
    const dtype = tensor.dtype.toLowerCase() as DType;
    const [first = 1, second] = ref.shape;
    const memory = backend.allocateWeights(byteLengthOf(dtype, first * (second ?? 1)));
    memory.bytes.set(tensor.bytes);
    const slice = { memory, byteOffset: 0, dtype, rows: second ? first : 1, cols: second ?? first };
    slices.set(ref.name, slice);
    return slice;
  };

  const run = async (commands: readonly RecordedCommand<WeightRef>[]) => {
    for (const command of commands) {
      const lowered: Command<WeightSlice>[] =
        command.op === 'experts'
          ? lowerExperts(command, await arena.read(command.logits), load)
          : [bindWeights(command, load)];
      await backend.submit({ commands: lowered, arena, kvCache, batch });
    }
  };

  const cos = new Float32Array((rows * rope.rotaryDim) / 2);
  const sin = new Float32Array((rows * rope.rotaryDim) / 2);
  rope.fill({ cos, sin, row: 0, start: 0, count: rows, sequenceLength: rows });
  await arena.write(embed.state.cos, cos);
  await arena.write(embed.state.sin, sin);
  await run(embed.commands);
  const hidden = [await arena.read(embed.state.hidden)];
  for (const layer of layers) {
    await run(layer.commands);
    hidden.push(await arena.read(layer.state.hidden));
  }
  await run(head.commands);
  return { hidden, logits: await arena.read(logits) };
}

function bindWeights(
  command: Exclude<RecordedCommand<WeightRef>, { op: 'experts' }>,
  load: (ref: WeightRef) => WeightSlice,
): Command<WeightSlice> {
  switch (command.op) {
    case 'embedding':
      return { ...command, table: load(command.table) };
    case 'rmsNorm':
      return { ...command, weight: load(command.weight) };
    case 'linear':
      return { ...command, weight: load(command.weight), bias: command.bias && load(command.bias) };
    default:
      return command;
  }
}

/** Softmax over all experts, the best topK per row, then each expert over its own rows. */
function lowerExperts(
  command: ExpertsCommand<WeightRef>,
  logits: Float32Array,
  load: (ref: WeightRef) => WeightSlice,
): Command<WeightSlice>[] {
  const { experts, routing, scratch, x, out, activation } = command;
  const chosen = experts.map(() => ({ rows: [] as number[], scales: [] as number[] }));
  for (let row = 0; row < x.rows; row++) {
    const exps = [...logits.subarray(row * experts.length, (row + 1) * experts.length)].map(Math.exp);
    const best = exps.map((_, expert) => expert).sort((a, b) => at(exps, b) - at(exps, a));
    const top = best.slice(0, routing.topK);
    const total = (routing.normalizeTopK ? top : best).reduce((sum, expert) => sum + at(exps, expert), 0);
    for (const expert of top) {
      at(chosen, expert).rows.push(row);
      at(chosen, expert).scales.push(at(exps, expert) / total);
    }
  }
  return experts.flatMap((expert, number): Command<WeightSlice>[] => {
    const { rows, scales } = at(chosen, number);
    if (rows.length === 0) return [];
    const indices = Uint32Array.from(rows);
    const [input, gate, up, result] = [scratch.x, scratch.gate, scratch.up, scratch.out].map((tensor) =>
      tensor.rowRange(0, rows.length),
    ) as [typeof x, typeof x, typeof x, typeof x];
    const linear = { op: 'linear', bias: undefined } as const;
    return [
      { op: 'gatherRows', x, indices, out: input },
      { ...linear, x: input, weight: load(expert.gate), out: gate },
      { ...linear, x: input, weight: load(expert.up), out: up },
      { op: 'glu', gate, up, activation, out: gate },
      { ...linear, x: gate, weight: load(expert.down), out: result },
      { op: 'scatterAddRows', x: result, indices, scales: Float32Array.from(scales), out },
    ];
  });
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined)
    throw new RangeError(`Expected an index below ${items.length} but received ${index}`);
  return item;
}
