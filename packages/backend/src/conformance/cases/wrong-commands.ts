// Commands on rows that no backend may run, by what is wrong with them; every one has a valid neighbour.

import type { Submission } from '../../backend.js';
import { Tensor } from '../../tensor.js';
import type { CodePacking, GroupPacking, WeightPacking } from '../../packing.js';
import type { BlockScales, WeightMemory, WeightSlice } from '../../weight.js';
import { PLAIN_LINEAR } from '../commands.js';
import { tensorAt } from './checks.js';

/** Elements of the arena and bytes of the weight memory that these commands are wrong for. */
export const ARENA_ELEMENTS = 64;
export const WEIGHT_BYTES = 64;

type Commands = Submission['commands'];

/** A float32 weight in `memory`. */
export function weightAt(
  memory: WeightMemory,
  byteOffset: number,
  [rows, cols]: readonly number[],
): WeightSlice {
  return { memory, byteOffset, dtype: 'f32', rows: rows ?? 0, cols: cols ?? 0 };
}

export function wrongCommands(): Record<string, (memory: WeightMemory) => Commands> {
  const x = tensorAt(0, 2, 4);
  const out = tensorAt(16, 2, 4);
  const linear = { op: 'linear', x, ...PLAIN_LINEAR, out } as const;
  const rmsNorm = { op: 'rmsNorm', x, groupWidth: 4, weightOffset: 0, eps: 1e-5, out } as const;
  const transposed = { op: 'linearTransposed', x, bias: undefined, accumulate: false, out } as const;
  const rope = { op: 'rope', x, headDim: 4, rotaryStart: 0, rotaryDim: 4, style: 'half' } as const;
  const angles = (pairs: number) => ({ cos: tensorAt(16, 2, pairs), sin: tensorAt(32, 2, pairs) });
  return {
    'a tensor past the end of the arena': () => [
      { op: 'fill', x: tensorAt(ARENA_ELEMENTS - 7, 2, 4), value: 0 },
    ],
    'a tensor whose last row is past the end': () => [
      { op: 'fill', x: new Tensor({ elements: 8, offset: 0 }, 2, 4, ARENA_ELEMENTS - 3, 0), value: 0 },
    ],
    'a tensor without a place': () => [{ op: 'fill', x: tensorAt(-1, 2, 4), value: 0 }],
    'a weight past the end of its memory': (memory) => [{ ...linear, weight: weightAt(memory, 1, [4, 4]) }],
    'a weight before its memory': (memory) => [{ ...linear, weight: weightAt(memory, -4, [4, 4]) }],
    'a linear of another width': (memory) => [{ ...linear, weight: weightAt(memory, 0, [4, 3]) }],
    'a bias of another length': (memory) => [
      { ...linear, weight: weightAt(memory, 0, [4, 4]), bias: weightAt(memory, 0, [1, 3]) },
    ],
    'a bias beside normalized rows': (memory) => [
      {
        ...linear,
        weight: weightAt(memory, 0, [4, 4]),
        bias: weightAt(memory, 0, [1, 4]),
        normalizeRows: true,
      },
    ],
    'a transposed weight of another width': (memory) => [
      { ...transposed, weight: weightAt(memory, 0, [3, 4]) },
    ],
    'a bias on top of a sum': (memory) => [
      {
        ...transposed,
        weight: weightAt(memory, 0, [4, 4]),
        bias: weightAt(memory, 0, [1, 4]),
        accumulate: true,
      },
    ],
    'a norm whose groups do not divide the columns': () => [{ ...rmsNorm, weight: undefined, groupWidth: 3 }],
    'a norm weight of neither a group nor a row': (memory) => [
      { ...rmsNorm, weight: weightAt(memory, 0, [1, 3]), groupWidth: 2 },
    ],
    'a norm bias of another length': (memory) => [
      {
        op: 'layerNorm',
        ...{ x, groupWidth: 4, eps: 1e-5, out },
        weight: undefined,
        bias: weightAt(memory, 0, [1, 3]),
      },
    ],
    'a token id past the table': (memory) => [
      { op: 'embedding', table: weightAt(memory, 0, [4, 4]), ids: Uint32Array.of(0, 4), out },
    ],
    'a gathered row past the input': () => [{ op: 'gatherRows', x, indices: Uint32Array.of(1, 2), out }],
    'fewer scales than gathered rows': () => [
      { op: 'gatherRows', x, indices: Uint32Array.of(1, 0), scales: Float32Array.of(1), out },
    ],
    'a scattered row past the output': () => [
      { op: 'scatterAddRows', x, indices: Uint32Array.of(1, 2), scales: Float32Array.of(1, 1), out },
    ],
    'fewer scales than rows': () => [
      { op: 'scatterAddRows', x, indices: Uint32Array.of(1, 0), scales: Float32Array.of(1), out },
    ],
    'operands of different shapes': () => [{ op: 'accumulate', x, y: tensorAt(16, 1, 4) }],
    'a gate of some of the columns': () => [{ op: 'sigmoidGate', x, gate: tensorAt(32, 2, 2), out }],
    'alternating columns that do not pair': () => [
      { op: 'clampedGlu', x: tensorAt(0, 2, 5), alpha: 1, limit: 1, out: tensorAt(16, 2, 2) },
    ],
    'a cap of zero': () => [{ op: 'softcap', x, cap: 0 }],
    'row scales of several columns': () => [{ op: 'scaleRows', x, scales: tensorAt(16, 2, 2) }],
    'columns past their group': () => [
      { op: 'ungroup', x, groupWidth: 2, start: 1, count: 2, out: tensorAt(16, 2, 4) },
    ],
    'groups that do not divide the columns': () => [
      { op: 'ungroup', x, groupWidth: 3, start: 0, count: 1, out: tensorAt(16, 2, 1) },
    ],
    'a rotary dimension larger than the head': () => [{ ...rope, ...angles(3), rotaryDim: 6 }],
    'rotated columns past the head': () => [{ ...rope, ...angles(1), rotaryStart: 3, rotaryDim: 2 }],
    ...wrongScales(),
    ...wrongPackings(),
    ...wrongCompanions(),
    ...wrongRowGroups(),
  };
}

/** A weight [4, 4] in f8e4m3 with 2 × 2 blocks; its grid of scales [2, 2] lies behind its 16 bytes. */
function wrongScales(): Record<string, (memory: WeightMemory) => Commands> {
  const linear = (weight: WeightSlice): Commands => [
    { op: 'linear', x: tensorAt(0, 2, 4), weight, ...PLAIN_LINEAR, out: tensorAt(16, 2, 4) },
  ];
  const slice = (memory: WeightMemory) => ({ ...weightAt(memory, 0, [4, 4]), dtype: 'f8e4m3' }) as const;
  const scales = (memory: WeightMemory, change: Partial<BlockScales> = {}): BlockScales => ({
    memory,
    byteOffset: 16,
    cols: 2,
    blockRows: 2,
    blockCols: 2,
    firstRow: 0,
    ...change,
  });
  const changed = (change: Partial<BlockScales>) => (memory: WeightMemory) =>
    linear({ ...slice(memory), scales: scales(memory, change) });
  return {
    'f8e4m3 without scales': (memory) => linear(slice(memory)),
    'float32 with scales': (memory) => linear({ ...weightAt(memory, 0, [4, 4]), scales: scales(memory) }),
    'scales past the end of their memory': changed({ byteOffset: WEIGHT_BYTES - 15 }),
    'scales before their memory': changed({ byteOffset: -1 }),
    'a grid of scales with too few columns': changed({ cols: 1 }),
    'rows past the grid of scales': changed({ firstRow: 23 }),
    'a negative first row of scales': changed({ firstRow: -1 }),
    'blocks of no rows': changed({ blockRows: 0 }),
    'blocks of half a column': changed({ blockCols: 0.5 }),
  };
}

/** Weights [1, 32] in mxfp4: 16 bytes, with a byte of scales behind them. */
function wrongPackings(): Record<string, (memory: WeightMemory) => Commands> {
  const linear = (weight: WeightSlice, cols = 32): Commands => [
    { op: 'linear', x: tensorAt(0, 1, cols), weight, ...PLAIN_LINEAR, out: tensorAt(cols, 1, 1) },
  ];
  const slice = (memory: WeightMemory, cols = 32) =>
    ({ ...weightAt(memory, 0, [1, cols]), dtype: 'mxfp4' }) as const;
  const packing = (memory: WeightMemory, byteOffset = 16) =>
    ({ kind: 'mxfp4', scales: { memory, byteOffset } }) as const;
  return {
    'mxfp4 without scales': (memory) => linear(slice(memory)),
    'float32 with a packing': (memory) =>
      linear({ ...weightAt(memory, 0, [1, 4]), packing: packing(memory) }, 4),
    'a packing of another kind': (memory) =>
      linear({ ...slice(memory), dtype: 'awq4', packing: packing(memory) }),
    'packed scales past the end of their memory': (memory) =>
      linear({ ...slice(memory), packing: packing(memory, WEIGHT_BYTES) }),
    'half a block of columns': (memory) => linear({ ...slice(memory, 16), packing: packing(memory) }, 16),
    'packed bytes past the end of their memory': (memory) =>
      linear({ ...slice(memory), byteOffset: WEIGHT_BYTES - 15, packing: packing(memory) }),
    'a packed vector': (memory) => [
      {
        op: 'rmsNorm',
        ...{ x: tensorAt(0, 1, 32), groupWidth: 32, weightOffset: 0, eps: 1e-5, out: tensorAt(0, 1, 32) },
        weight: { ...slice(memory), packing: packing(memory) },
      },
    ],
  };
}

/** Weights [2, 6] whose companions lie before byte 64, or the next ones would. */
function wrongCompanions(): Record<string, (memory: WeightMemory) => Commands> {
  const linear =
    (packingOf: (memory: WeightMemory) => WeightPacking, byteOffset = 0) =>
    (memory: WeightMemory): Commands => {
      const packing = packingOf(memory);
      const weight = { memory, byteOffset, dtype: packing.kind, rows: 2, cols: 6, packing };
      return [{ op: 'linear', x: tensorAt(0, 1, 6), weight, ...PLAIN_LINEAR, out: tensorAt(6, 1, 2) }];
    };
  const at = (memory: WeightMemory, byteOffset: number) => ({ memory, byteOffset });
  /** 12 elements from the second of a block of 5 on: 3 factors of 4 bytes. */
  const codes =
    (change: Partial<CodePacking> = {}, places: readonly [codes: number, absmax: number] = [0, 0]) =>
    (memory: WeightMemory): WeightPacking => ({
      kind: 'code4',
      ...{ codes: at(memory, places[0]), blockLength: 5, first: 1, absmax: at(memory, places[1]) },
      nested: undefined,
      ...change,
    });
  const lossless =
    (escapeBytes: number, [codesAt, escapesAt]: readonly [number, number] = [0, 0]) =>
    (memory: WeightMemory): WeightPacking => ({
      kind: 'bf16z',
      ...{ codes: at(memory, codesAt), escapes: at(memory, escapesAt), escapeBytes },
    });
  const integers =
    (kind: 'int8' | 'int4', groupCols: number, scalesAt = 0) =>
    (memory: WeightMemory): WeightPacking => ({ kind, scales: at(memory, scalesAt), groupCols });
  return {
    'a code book past the end of its memory': linear(codes({}, [1, 0])),
    'a code book of 256 in the memory of 16': linear(codes({ kind: 'code8' })),
    'factors past the end of their memory': linear(codes({}, [0, 53])),
    'codes past the end of their memory': linear(codes(), WEIGHT_BYTES - 5),
    'a first element past its block': linear(codes({ first: 5 })),
    'a first element before its block': linear(codes({ first: -1 })),
    'blocks of no elements': linear(codes({ blockLength: 0, first: 0 })),
    'blocks of half an element': linear(codes({ blockLength: 4.5 })),
    // Two groups of 4 and 2 columns in each row: 4 scales of 4 bytes.
    'scales of integers past the end of their memory': linear(integers('int8', 4, WEIGHT_BYTES - 15)),
    'groups of no columns': linear(integers('int4', 0)),
    'integers past the end of their memory': linear(integers('int8', 4), WEIGHT_BYTES - 11),
    // 24 bytes of planes for each row.
    'bit planes past the end of their memory': linear(lossless(2, [WEIGHT_BYTES - 47, 0])),
    'escapes past the end of their memory': linear(lossless(2, [0, WEIGHT_BYTES - 3])),
    'no byte for the base': linear(lossless(0)),
  };
}

/** Weights [8, 8] in 32 bytes, and behind them an int32 for each row. */
function wrongRowGroups(): Record<string, (memory: WeightMemory) => Commands> {
  const linear =
    (kind: GroupPacking['kind'], count: number, indicesAt = 32) =>
    (memory: WeightMemory): Commands => {
      const start = { memory, byteOffset: 0 };
      const rowGroups = { indices: { memory, byteOffset: indicesAt }, count };
      const factors = { scales: start, scaleDType: 'f16', zeros: start } as const;
      const packing = { kind, ...factors, groupRows: 8, rowGroups };
      const weight = { memory, byteOffset: 0, dtype: kind, rows: 8, cols: 8, packing };
      return [{ op: 'linear', x: tensorAt(0, 1, 8), weight, ...PLAIN_LINEAR, out: tensorAt(8, 1, 8) }];
    };
  return {
    'a row of a group that is not there': (memory) => {
      memory.bytes.fill(0);
      memory.bytes[32 + 4 * 7] = 2;
      return linear('gptq4', 2)(memory);
    },
    'a row of a negative group': (memory) => {
      memory.bytes.fill(0xff, 32);
      return linear('gptq4', 2)(memory);
    },
    'groups of rows past the end of their memory': linear('gptq4', 1, 33),
    'rows of no groups': linear('gptq4', 0),
    'groups of rows in awq4': linear('awq4', 1),
  };
}
