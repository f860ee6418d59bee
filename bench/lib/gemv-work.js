// One row times every matrix of some layers, as decoding does, in any format and on any backend.

import { Recorder } from '@airllm/backend';
import { createWeight } from './weight-pool.js';

/** Widths of Llama-2-7B: attention and the three matrices of the MLP. */
const SHAPES = [
  [4096, 4096],
  [11008, 4096],
  [4096, 11008],
];

const INPUT_MAJOR = ['gptq4', 'awq4'];

/**
 * Matrices of at least `leastBytes`, each the one operand of a command, in the device's memory where it has its own.
 *
 * @returns { bytes, submission, dispose }
 */
export async function createGemvWork(backend, dtype, { leastBytes, shapes = SHAPES }) {
  const recorder = new Recorder();
  const depths = [...new Set(shapes.map(([, depth]) => depth))];
  const inputs = new Map(depths.map((depth) => [depth, recorder.input(1, depth)]));
  const weights = [];
  let bytes = 0;
  for (let i = 0; bytes < leastBytes; i++) {
    const [outputs, depth] = shapes[i % shapes.length];
    const transposed = INPUT_MAJOR.includes(dtype);
    const shape = transposed ? [depth, outputs] : [outputs, depth];
    const weight = createWeight(backend, dtype, shape);
    bytes += weight.bytes;
    weights.push(await onDevice(backend, weight.slice));
    const x = inputs.get(depth);
    const ref = { name: `w${i}`, shape };
    recorder.output(transposed ? recorder.linearTransposed(x, ref) : recorder.linear(x, ref));
  }
  const program = recorder.finish();
  const arena = backend.createArena(program.arenaElements);
  for (const [depth, x] of inputs) {
    await arena.write(
      x,
      Float32Array.from({ length: depth }, (_, i) => Math.sin(i)),
    );
  }
  const commands = program.commands.map((command, i) => ({ ...command, weight: weights[i] }));
  return {
    bytes,
    submission: { commands, arena },
    dispose() {
      arena.dispose();
      for (const slice of weights) for (const memory of memoriesOf(slice)) memory.dispose();
    },
  };
}

/** The slice with its bytes, and those beside them, in the device's own memory; as it is where there is none. */
async function onDevice(backend, slice) {
  if (!backend.deviceMemory) return slice;
  const moved = new Map();
  for (const host of memoriesOf(slice)) {
    moved.set(host, await backend.deviceMemory.pin(host));
    host.dispose();
  }
  const move = (part) => ({ ...part, memory: moved.get(part.memory) });
  const { packing } = slice;
  if (!packing) return move(slice);
  const beside = Object.entries(packing).map(([name, part]) => [name, part?.memory ? move(part) : part]);
  return { ...move(slice), packing: Object.fromEntries(beside) };
}

function memoriesOf({ memory, packing }) {
  return [memory, ...Object.values(packing ?? {}).flatMap((part) => part?.memory ?? [])];
}
