// A tile of bfloat16 made smaller in memory, bit for bit: what stays takes about 0.7 of its bytes, so that more can stay.
// Ops read the rows as `bf16z`, whose results are those of the plain rows to the last bit.
//
//   plain    row │ 2 bytes per column            packed   bytes │ codes │ escapes   of one part, then of the next
//            row │ …

import type { WeightMemory, WeightSlice } from '@airllm/backend';
import { ceilPage } from './read-ranges.js';
import type { Tile, TilePart } from './tile.js';

/** Columns that share three bit planes of 8 bytes: the `bf16z` of @airllm/backend. */
const GROUP_COLS = 64;
const GROUP_BYTES = 24;
/** A tile that would keep more than this share of its bytes stays as it is. */
const MOST_KEPT = 0.9;

/** Makes `bf16z` of rows of bfloat16; the kernels of @airllm/quantizer do. Calls must not block the JavaScript thread. */
export interface LosslessKernels {
  /** Chooses the base exponent of each row into `bases` [rows]; `capacity` is the most escapes of any row. */
  surveyLossless(
    source: Uint8Array,
    shape: { rows: number; cols: number },
    bases: Uint8Array,
  ): Promise<{ capacity: number }>;
  /** Fills the planes [rows, cols], [rows, 24 · ceil(cols / 64)], [rows, 1 + capacity]; false where a row has more escapes. */
  encodeLossless(
    source: Uint8Array,
    shape: { rows: number; cols: number },
    bases: Uint8Array,
    to: { bytes: Uint8Array; codes: Uint8Array; escapes: Uint8Array },
  ): Promise<boolean>;
}

export interface PackedTile {
  readonly memory: WeightMemory;
  /** The rows of `part`, a part of this tile. */
  slice(part: TilePart): WeightSlice;
}

export interface PackOptions {
  readonly kernels: LosslessKernels;
  readonly allocate: (byteLength: number) => WeightMemory;
}

/** Whether every part of it is plain bfloat16 that ops take block by block. */
export function isPackable({ parts }: Tile): boolean {
  return parts.every(({ weight, decodedOffset }) => {
    const { dtype, packing, scales, whole } = weight;
    return dtype === 'bf16' && !packing && !scales && !whole && decodedOffset === undefined;
  });
}

/**
 * Packs what lies in `memory`, which only needs to stay as it is until this settles.
 *
 * @returns undefined where hardly anything would be saved
 * @throws what `allocate` throws; nothing is held then
 */
export async function packTile(
  tile: Tile,
  memory: WeightMemory,
  { kernels, allocate }: PackOptions,
): Promise<PackedTile | undefined> {
  const surveys = [];
  let byteLength = 0;
  for (const part of tile.parts) {
    const survey = await surveyPart(part, memory, kernels);
    surveys.push({ ...survey, byteOffset: byteLength });
    byteLength += survey.byteLength;
  }
  if (ceilPage(byteLength) > tile.bufferBytes * MOST_KEPT) return undefined;
  const packed = allocate(ceilPage(byteLength));
  try {
    const slices = new Map<TilePart, WeightSlice>();
    for (const survey of surveys) slices.set(survey.part, await encodePart(survey, packed, kernels));
    return { memory: packed, slice: (part) => sliceOf(slices, part) };
  } catch (error) {
    packed.dispose();
    throw error;
  }
}

/** How a part will lie, its three planes one after the other. */
interface PartSurvey {
  readonly part: TilePart;
  readonly source: Uint8Array;
  readonly shape: { readonly rows: number; readonly cols: number };
  readonly bases: Uint8Array;
  readonly codeBytes: number;
  /** Per row. */
  readonly escapeBytes: number;
  readonly byteLength: number;
}

async function surveyPart(
  part: TilePart,
  memory: WeightMemory,
  kernels: LosslessKernels,
): Promise<PartSurvey> {
  const { rowCount: rows, bufferOffset, weight } = part;
  const { cols, rowBytes } = weight;
  const source = memory.bytes.subarray(bufferOffset, bufferOffset + rows * rowBytes);
  const bases = new Uint8Array(rows);
  const { capacity } = await kernels.surveyLossless(source, { rows, cols }, bases);
  const codeBytes = rows * GROUP_BYTES * Math.ceil(cols / GROUP_COLS);
  const escapeBytes = 1 + capacity;
  const byteLength = rows * cols + codeBytes + rows * escapeBytes;
  return { part, source, shape: { rows, cols }, bases, codeBytes, escapeBytes, byteLength };
}

async function encodePart(
  survey: PartSurvey & { readonly byteOffset: number },
  memory: WeightMemory,
  kernels: LosslessKernels,
): Promise<WeightSlice> {
  const { source, shape, bases, byteOffset, codeBytes, escapeBytes } = survey;
  const { rows, cols } = shape;
  const codes = { memory, byteOffset: byteOffset + rows * cols };
  const escapes = { memory, byteOffset: codes.byteOffset + codeBytes };
  const fitted = await kernels.encodeLossless(source, shape, bases, {
    bytes: memory.bytes.subarray(byteOffset, codes.byteOffset),
    codes: memory.bytes.subarray(codes.byteOffset, escapes.byteOffset),
    escapes: memory.bytes.subarray(escapes.byteOffset, escapes.byteOffset + rows * escapeBytes),
  });
  if (!fitted) throw new RangeError('Expected no row to have more escapes than its survey counted');
  return {
    ...{ memory, byteOffset, dtype: 'bf16z', rows, cols },
    packing: { kind: 'bf16z', codes, escapes, escapeBytes },
  };
}

function sliceOf(slices: ReadonlyMap<TilePart, WeightSlice>, part: TilePart): WeightSlice {
  const slice = slices.get(part);
  if (!slice) throw new RangeError(`Expected a part of tile ${part.tile}, from row ${part.rowStart} on`);
  return slice;
}
