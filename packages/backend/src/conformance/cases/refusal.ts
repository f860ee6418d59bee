// Operands outside their memory, indices past their limit, shapes that do not agree: refused by a typed
// error before anything runs, and the backend works on.

import type { Backend, Submission } from '../../backend.js';
import type { AttentionCommand } from '../../command.js';
import type { ConformanceCase } from '../conformance-case.js';
import { Tensor } from '../../tensor.js';
import type { WeightMemory } from '../../weight.js';
import { behaviourCase, complainUnlessEqual, complainUnlessRejected, tensorAt } from './checks.js';

const ARENA_ELEMENTS = 64;
const WEIGHT_BYTES = 64;

/** Two tokens of two heads of two columns: q, k, v and out have 4 columns. */
const ATTENTION: AttentionCommand = {
  op: 'attention',
  layer: 0,
  q: tensorAt(0, 2, 4),
  k: tensorAt(8, 2, 4),
  v: tensorAt(16, 2, 4),
  out: tensorAt(24, 2, 4),
  heads: 2,
  kvHeads: 2,
  headDim: 2,
  scale: 1,
  window: undefined,
};

const SEQUENCE = { rowStart: 0, rowCount: 2, past: 0, blocks: Int32Array.of(1) };

export function refusalCases(): ConformanceCase[] {
  return [
    ...Object.entries(wrongCommands()).map(([what, commandsOf]) =>
      refusal(what, (memory) => ({ commands: commandsOf(memory) })),
    ),
    ...Object.entries(wrongBatches()).map(([what, sequence]) =>
      refusal(what, () => ({
        commands: [ATTENTION],
        batch: { rows: 2, sequences: [{ ...SEQUENCE, ...sequence }] },
      })),
    ),
    refusal('attention without a batch', () => ({ commands: [ATTENTION], batch: undefined })),
    refusal('attention without a KV cache', () => ({ commands: [ATTENTION], kvCache: undefined })),
    behaviourCase('refuses a read outside the arena and a write of another length', async (backend) => {
      const arena = backend.createArena(ARENA_ELEMENTS);
      const outside = tensorAt(ARENA_ELEMENTS - 3, 1, 4);
      const wrong =
        (await complainUnlessRejected('a read', arena.read(outside), 'INVALID_OPERAND')) ??
        (await complainUnlessRejected(
          'a write',
          arena.write(outside, new Float32Array(4)),
          'INVALID_OPERAND',
        )) ??
        (await complainUnlessRejected(
          'a short write',
          arena.write(tensorAt(0, 1, 4), new Float32Array(3)),
          'INVALID_OPERAND',
        ));
      arena.dispose();
      return wrong;
    }),
  ];
}

type Commands = Submission['commands'];

/** By what is wrong with them; every one has a valid neighbour. */
function wrongCommands(): Record<string, (memory: WeightMemory) => Commands> {
  const x = tensorAt(0, 2, 4);
  const out = tensorAt(16, 2, 4);
  const weight = (memory: WeightMemory, byteOffset: number, rows: number, cols: number) =>
    ({ memory, byteOffset, dtype: 'f32', rows, cols }) as const;
  return {
    'a tensor past the end of the arena': () => [
      { op: 'fill', x: tensorAt(ARENA_ELEMENTS - 7, 2, 4), value: 0 },
    ],
    'a tensor whose last row is past the end': () => [
      { op: 'fill', x: new Tensor({ elements: 8, offset: 0 }, 2, 4, ARENA_ELEMENTS - 3, 0), value: 0 },
    ],
    'a tensor without a place': () => [{ op: 'fill', x: tensorAt(-1, 2, 4), value: 0 }],
    'a weight past the end of its memory': (memory) => [
      { op: 'linear', x, weight: weight(memory, 1, 4, 4), bias: undefined, out },
    ],
    'a weight before its memory': (memory) => [
      { op: 'linear', x, weight: weight(memory, -4, 4, 4), bias: undefined, out },
    ],
    'a linear of another width': (memory) => [
      { op: 'linear', x, weight: weight(memory, 0, 4, 3), bias: undefined, out },
    ],
    'a bias of another length': (memory) => [
      { op: 'linear', x, weight: weight(memory, 0, 4, 4), bias: weight(memory, 0, 1, 3), out },
    ],
    'a norm that does not divide the columns': (memory) => [
      { op: 'rmsNorm', x, weight: weight(memory, 0, 1, 3), eps: 1e-5, out },
    ],
    'a token id past the table': (memory) => [
      { op: 'embedding', table: weight(memory, 0, 4, 4), ids: Uint32Array.of(0, 4), out },
    ],
    'a gathered row past the input': () => [{ op: 'gatherRows', x, indices: Uint32Array.of(1, 2), out }],
    'a scattered row past the output': () => [
      { op: 'scatterAddRows', x, indices: Uint32Array.of(1, 2), scales: Float32Array.of(1, 1), out },
    ],
    'fewer scales than rows': () => [
      { op: 'scatterAddRows', x, indices: Uint32Array.of(1, 0), scales: Float32Array.of(1), out },
    ],
    'operands of different shapes': () => [{ op: 'accumulate', x, y: tensorAt(16, 1, 4) }],
    'a rotary dimension larger than the head': () => [
      {
        op: 'rope',
        x,
        cos: tensorAt(16, 2, 3),
        sin: tensorAt(24, 2, 3),
        headDim: 4,
        rotaryDim: 6,
        style: 'half',
      },
    ],
    'a layer the KV cache does not have': () => [{ ...ATTENTION, layer: 1 }],
    'heads that are no multiple of the key heads': () => [
      { ...ATTENTION, heads: 3, q: tensorAt(0, 2, 6), out: tensorAt(24, 2, 6) },
    ],
    'key heads that the KV cache does not have': () => [
      { ...ATTENTION, kvHeads: 1, k: tensorAt(8, 2, 2), v: tensorAt(16, 2, 2) },
    ],
  };
}

function wrongBatches(): Record<string, Partial<typeof SEQUENCE>> {
  return {
    'a block past the KV cache': { blocks: Int32Array.of(2) },
    'a negative block': { blocks: Int32Array.of(-1) },
    'too few blocks for the tokens': { past: 15 },
    'a negative past': { past: -1 },
    'rows that belong to no sequence': { rowCount: 1 },
    'more rows than the batch has': { rowCount: 3 },
  };
}

/** Submits something wrong after something right, expects the error, then expects the arena as it was. */
function refusal(what: string, wrongPart: (memory: WeightMemory) => Partial<Submission>): ConformanceCase {
  return behaviourCase(`refuses ${what}`, async (backend: Backend) => {
    const arena = backend.createArena(ARENA_ELEMENTS);
    const memory = backend.allocateWeights(WEIGHT_BYTES);
    memory.bytes.fill(0);
    const kvCache = backend.createKvCache({ layers: [{ kvHeads: 2, headDim: 2 }], blocks: 2 });
    const whole = tensorAt(0, 1, ARENA_ELEMENTS);
    await arena.write(whole, new Float32Array(ARENA_ELEMENTS).fill(1));
    const right: Submission = { commands: [], arena, kvCache, batch: { rows: 2, sequences: [SEQUENCE] } };
    const wrong =
      (await complainUnlessRejected(
        what,
        backend.submit({ ...right, ...wrongPart(memory) }),
        'INVALID_OPERAND',
      )) ?? complainUnlessEqual(await arena.read(whole), new Array<number>(ARENA_ELEMENTS).fill(1));
    kvCache.dispose();
    memory.dispose();
    arena.dispose();
    return wrong;
  });
}
