// Everything a definition says, as values that can be compared: sizes, tables, and the commands of every program.

import { Recorder, type RecordedCommand, type WeightRef } from '@airllm/backend';
import type { ModelDefinition, PassState } from '../../src/index.js';

const ROWS = 2;
/** Sequence lengths at which tables are compared; the second crosses every scaling's original length in the cases. */
const LENGTHS = [1, 5000];

export function describeDefinition(definition: ModelDefinition): unknown {
  const { sizes, ropes, rowScales, embedding, family, notices } = definition;
  return {
    family,
    notices,
    sizes,
    embedding,
    ropes: ropes.map((rope) => ({
      style: rope.style,
      headDim: rope.headDim,
      restartsOnChange: rope.restartsOnChange,
      tables: LENGTHS.map((sequenceLength) => {
        const cos = new Float32Array(rope.rotaryDim / 2);
        const sin = new Float32Array(rope.rotaryDim / 2);
        const start = sequenceLength - 1;
        rope.fill({ cos, sin, row: 0, start, count: 1, sequenceLength, promptLength: sequenceLength });
        return { cos, sin, variant: rope.variant(sequenceLength, sequenceLength) };
      }),
    })),
    rowScales: rowScales.map((scale) => LENGTHS.map(scale)),
    input: record(definition, (rec, state) => definition.recordInput?.(rec, state)),
    layers: Array.from({ length: sizes.layers }, (_, layer) =>
      record(definition, (rec, state) => definition.recordLayer(rec, state, layer)),
    ),
    head: record(definition, (rec, { hidden }) => void definition.recordHead(rec, hidden)),
  };
}

function record(definition: ModelDefinition, body: (rec: Recorder, state: PassState) => void): unknown[] {
  const rec = new Recorder();
  body(rec, {
    hidden: rec.input(ROWS, definition.sizes.hiddenSize),
    rotary: definition.ropes.map(({ rotaryDim }) => ({
      cos: rec.input(ROWS, rotaryDim / 2),
      sin: rec.input(ROWS, rotaryDim / 2),
    })),
    rowScales: definition.rowScales.map(() => rec.input(ROWS, 1)),
  });
  return rec.finish().commands.map(expanded);
}

/** Experts by what they record in place of the function that records them. */
function expanded(command: RecordedCommand<WeightRef>): unknown {
  if (command.op !== 'experts') return command;
  return { ...command, record: [0, command.logits.cols - 1].map((expert) => command.record(expert)) };
}
