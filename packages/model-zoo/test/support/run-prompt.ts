// A whole prompt through a definition on the reference backend: the smallest runner that shows what a definition
// computes. Everything stays in memory and routed experts are run here.

import {
  byteLengthOf,
  KV_BLOCK_TOKENS,
  Recorder,
  Tensor,
  type BatchLayout,
  type BlockScales,
  type Command,
  type DType,
  type ExpertsCommand,
  type RecordedCommand,
  type WeightRef,
  type WeightSlice,
} from '@airllm/backend';
import { createReferenceBackend } from '@airllm/backend/reference';
import type { ModelDefinition, PassState } from '../../src/index.js';
import { floats, type RawTensor } from './golden-case.js';
import { route } from './route.js';

export interface PromptResult {
  /** Before the first layer and after every layer, [T, D]. */
  readonly hidden: readonly Float32Array[];
  /** [T, V] */
  readonly logits: Float32Array;
}

export async function runPrompt(
  definition: ModelDefinition,
  tensors: ReadonlyMap<string, RawTensor>,
  ids: readonly number[],
): Promise<PromptResult> {
  const { sizes, ropes, rowScales } = definition;
  const rows = ids.length;
  const blocks = Math.ceil(rows / KV_BLOCK_TOKENS);
  await using backend = createReferenceBackend();

  const record = (body: (rec: Recorder, state: PassState) => void) => {
    const rec = new Recorder();
    const state: PassState = {
      hidden: rec.input(rows, sizes.hiddenSize),
      rotary: ropes.map(({ rotaryDim }) => ({
        cos: rec.input(rows, rotaryDim / 2),
        sin: rec.input(rows, rotaryDim / 2),
      })),
      rowScales: rowScales.map(() => rec.input(rows, 1)),
    };
    body(rec, state);
    return { ...rec.finish(), state };
  };
  const layers = Array.from({ length: sizes.layers }, (_, layer) =>
    record((rec, state) => definition.recordLayer(rec, state, layer)),
  );
  const embed = record((rec, state) => {
    rec.embedding(definition.embedding, Uint32Array.from(ids), state.hidden);
    definition.recordInput?.(rec, state);
  });
  let logits;
  const head = record((rec, { hidden }) => (logits = rec.output(definition.recordHead(rec, hidden))));
  if (!logits) throw new Error('Expected recordHead to return logits');

  const arena = backend.createArena(
    Math.max(...[embed, head, ...layers].map((program) => program.arenaElements)),
  );
  const kvCache = backend.createKvCache({ layers: sizes.cache, blocks, slots: 1 });
  const blockNumbers = Int32Array.from({ length: blocks }, (_, i) => i);
  const batch: BatchLayout = {
    rows,
    sequences: [{ rowStart: 0, rowCount: rows, past: 0, blocks: blockNumbers, slot: 0 }],
  };

  const tensorNamed = (name: string): RawTensor => {
    const tensor = tensors.get(name);
    if (!tensor) throw new Error(`Expected a tensor ${name} in the case`);
    return tensor;
  };
  const slices = new Map<string, WeightSlice>();
  const load = (ref: WeightRef): WeightSlice => {
    const found = slices.get(ref.name);
    if (found) return found;
    const { dtype: stored, bytes } = tensorNamed(ref.source?.tensor ?? ref.name);
    const dtype = stored === 'F8_E4M3' ? 'f8e4m3' : (stored.toLowerCase() as DType);
    const [first = 1, second] = ref.shape;
    const byteLength = byteLengthOf(dtype, first * (second ?? 1));
    const start = byteLengthOf(dtype, ref.source?.start ?? 0);
    const memory = backend.allocateWeights(byteLength);
    memory.bytes.set(bytes.subarray(start, start + byteLength));
    const scales = dtype === 'f8e4m3' ? loadScales(`${ref.name}_scale_inv`) : undefined;
    const slice: WeightSlice = {
      memory,
      byteOffset: 0,
      dtype,
      rows: second ? first : 1,
      cols: second ?? first,
      ...(scales && { scales }),
    };
    slices.set(ref.name, slice);
    return slice;
  };
  /** Factors per block of 128 × 128. */
  function loadScales(name: string): BlockScales {
    const { bytes, shape } = tensorNamed(name);
    const memory = backend.allocateWeights(bytes.byteLength);
    memory.bytes.set(bytes);
    return { memory, byteOffset: 0, cols: shape[1] ?? 1, blockRows: 128, blockCols: 128, firstRow: 0 };
  }
  const submit = (commands: readonly Command<WeightRef>[], layout = batch) =>
    backend.submit({
      commands: commands.map((command) => bindWeights(command, load)),
      arena,
      kvCache,
      batch: layout,
    });

  const run = async (commands: readonly RecordedCommand<WeightRef>[]) => {
    for (const command of commands) {
      await (command.op === 'experts' ? runExperts(command) : submit([command]));
    }
  };

  /** Routes on the host, then runs each chosen expert on the rows that chose it. */
  async function runExperts({
    x,
    logits: scores,
    out,
    routing,
    record: recordExpert,
  }: ExpertsCommand<WeightRef>) {
    const values = await arena.read(scores);
    const { correctionBias } = routing;
    const bias = correctionBias && floats(tensorNamed(correctionBias.name));
    const choices = Array.from({ length: rows }, (_, row) =>
      route(values.subarray(row * scores.cols, (row + 1) * scores.cols), routing, bias),
    );
    for (let expert = 0; expert < scores.cols; expert++) {
      const chosen = choices.flatMap((row, index) =>
        row.filter((choice) => choice.expert === expert).map(({ weight }) => ({ index, weight })),
      );
      if (chosen.length === 0) continue;
      const indices = Uint32Array.from(chosen, ({ index }) => index);
      const weights = Float32Array.from(chosen, ({ weight }) => weight);
      const { commands, input, output } = recordExpert(expert);
      const some = (tensor: Tensor): Tensor => tensor.rowRange(0, chosen.length);
      await submit([{ op: 'gatherRows', x, indices, out: some(input) }]);
      if (routing.scaleInput) {
        const gathered = await arena.read(some(input));
        const scaled = gathered.map((value, i) => value * (weights[Math.floor(i / x.cols)] ?? NaN));
        await arena.write(some(input), scaled);
      }
      const layout = { rows: chosen.length, sequences: [] };
      for (const command of commands) await submit([mapTensors(command, some)], layout);
      const scales = routing.scaleInput ? weights.map(() => 1) : weights;
      await submit([{ op: 'scatterAddRows', x: some(output), indices, scales, out }]);
    }
  }

  for (const [i, rope] of ropes.entries()) {
    const cos = new Float32Array((rows * rope.rotaryDim) / 2);
    const sin = new Float32Array((rows * rope.rotaryDim) / 2);
    rope.fill({ cos, sin, row: 0, start: 0, count: rows, sequenceLength: rows, promptLength: rows });
    const rotary = embed.state.rotary[i];
    if (!rotary) throw new Error(`Expected tables for rope ${i}`);
    await arena.write(rotary.cos, cos);
    await arena.write(rotary.sin, sin);
  }
  for (const [i, scales] of embed.state.rowScales.entries()) {
    const scaleAt = rowScales[i] ?? (() => NaN);
    await arena.write(
      scales,
      Float32Array.from({ length: rows }, (_, position) => scaleAt(position)),
    );
  }
  await run(embed.commands);
  const hidden = [await arena.read(embed.state.hidden)];
  for (const layer of layers) {
    await run(layer.commands);
    hidden.push(await arena.read(layer.state.hidden));
  }
  await run(head.commands);
  return { hidden, logits: await arena.read(logits) };
}

/** The command with its weights where they lie. Operands that are weights are told by their name and shape. */
function bindWeights(
  command: Command<WeightRef>,
  load: (ref: WeightRef) => WeightSlice,
): Command<WeightSlice> {
  const isWeight = (operand: unknown): operand is WeightRef =>
    typeof operand === 'object' && operand !== null && 'name' in operand && 'shape' in operand;
  const entries = Object.entries(command).map(([key, operand]: [string, unknown]) => [
    key,
    isWeight(operand) ? load(operand) : operand,
  ]);
  return Object.fromEntries(entries) as Command<WeightSlice>;
}

function mapTensors(command: Command<WeightRef>, map: (tensor: Tensor) => Tensor): Command<WeightRef> {
  const entries = Object.entries(command).map(([key, operand]: [string, unknown]) => [
    key,
    operand instanceof Tensor ? map(operand) : operand,
  ]);
  return Object.fromEntries(entries) as Command<WeightRef>;
}
