// Records the programs of a pass and sizes the arena they share.

import { Recorder, type Program, type Tensor } from '@airllm/backend';
import type { ModelDefinition, PassState } from '@airllm/model-zoo';
import { previewElements } from './preview-router.js';

/** How many rows a pass may have at once. */
export interface PassShape {
  /** Rows of the layers. */
  readonly rows: number;
  /** Rows of which logits are computed in one go, ≤ rows. */
  readonly logitRows: number;
}

/** The tensors that live from program to program. The same for every program with as many rows. */
function declareState(rec: Recorder, definition: ModelDefinition, rows: number): PassState {
  const { sizes, ropes, rowScales } = definition;
  return {
    hidden: rec.input(rows, sizes.hiddenSize),
    rotary: ropes.map(({ rotaryDim }) => ({
      cos: rec.input(rows, rotaryDim / 2),
      sin: rec.input(rows, rotaryDim / 2),
    })),
    rowScales: rowScales.map(() => rec.input(rows, 1)),
  };
}

/** Tensors that are written before the first layer, placed. */
export function placeState(definition: ModelDefinition, rows: number): PassState {
  const rec = new Recorder();
  const state = declareState(rec, definition, rows);
  rec.finish();
  return state;
}

/** What happens to the embedding rows before the first layer; undefined where nothing does. */
export function recordInput(definition: ModelDefinition, rows: number): Program | undefined {
  if (!definition.recordInput) return undefined;
  const rec = new Recorder();
  definition.recordInput(rec, declareState(rec, definition, rows));
  return rec.finish();
}

export function recordLayer(definition: ModelDefinition, rows: number, layer: number): Program {
  const rec = new Recorder();
  definition.recordLayer(rec, declareState(rec, definition, rows), layer);
  return rec.finish();
}

/** Final norm and output projection of the rows `indices` of the hidden state. */
export function recordHead(
  definition: ModelDefinition,
  rows: number,
  indices: Uint32Array,
): { program: Program; logits: Tensor } {
  const rec = new Recorder();
  const { hidden } = declareState(rec, definition, rows);
  const logits = rec.output(definition.recordHead(rec, rec.gatherRows(hidden, indices)));
  return { program: rec.finish(), logits };
}

/** Float32 values that the programs of a pass of this shape need, and previews of routers beside them. */
export function arenaElements(definition: ModelDefinition, shape: PassShape): number {
  let elements = recordHead(definition, shape.rows, new Uint32Array(shape.logitRows)).program.arenaElements;
  let experts = 0;
  for (let layer = 0; layer < definition.sizes.layers; layer++) {
    const program = recordLayer(definition, shape.rows, layer);
    elements = Math.max(elements, program.arenaElements);
    for (const command of program.commands)
      if (command.op === 'experts') experts = Math.max(experts, command.logits.cols);
  }
  return experts === 0 ? elements : elements + previewElements(definition.sizes.hiddenSize, experts);
}
