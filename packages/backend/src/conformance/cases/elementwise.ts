// fill, accumulate, glu.

import type { Activation } from '../../command.js';
import { compareWithReference, type Scenario } from '../compare-with-reference.js';
import type { ConformanceCase } from '../conformance-case.js';
import { Random } from '../random.js';
import { ELEMENTWISE, EXACT, TRANSCENDENTAL } from '../tolerances.js';
import { elementwiseScenarios, LARGE, type ElementwiseShape } from './shapes.js';

export const ACTIVATIONS: readonly Activation[] = ['silu', 'gelu', 'gelu-tanh'];

export function elementwiseCases(): ConformanceCase[] {
  return [
    {
      name: 'fill',
      op: 'fill',
      group: 'accuracy',
      tolerance: EXACT,
      run: (backend) => compareWithReference(backend, elementwiseScenarios(fill)),
    },
    {
      name: 'accumulate',
      op: 'accumulate',
      group: 'accuracy',
      tolerance: ELEMENTWISE,
      run: (backend) => compareWithReference(backend, elementwiseScenarios(accumulate)),
    },
    ...ACTIVATIONS.flatMap((activation): ConformanceCase[] => [
      {
        name: `glu ${activation}`,
        op: 'glu',
        group: 'accuracy',
        tolerance: TRANSCENDENTAL,
        run: (backend) =>
          compareWithReference(
            backend,
            elementwiseScenarios((shape) => glu(activation, shape)),
          ),
      },
      {
        name: `glu ${activation} of large gates`,
        op: 'glu',
        group: 'accuracy',
        tolerance: TRANSCENDENTAL,
        run: (backend) => compareWithReference(backend, largeGates(activation)),
      },
    ]),
  ];
}

function fill(shape: ElementwiseShape): Scenario['outputs'] {
  return (bench) => {
    const x = bench.tensor(shape.rows, shape.cols, { padding: shape.padding });
    return bench.run([{ op: 'fill', x, value: -0.375 }], [x]);
  };
}

function accumulate({ rows, cols, padding }: ElementwiseShape): Scenario['outputs'] {
  return (bench) => {
    const random = new Random(rows * 1009 + cols);
    const x = bench.tensor(rows, cols, { data: random.normals(rows * cols), padding });
    const y = bench.tensor(rows, cols, { data: random.normals(rows * cols) });
    return bench.run([{ op: 'accumulate', x, y }], [x]);
  };
}

/** Output into a third tensor, into the gate and into up. */
function glu(activation: Activation, { rows, cols, padding }: ElementwiseShape): Scenario['outputs'] {
  return (bench) => {
    const random = new Random(rows * 1013 + cols);
    const gate = bench.tensor(rows, cols, { data: random.normals(rows * cols, 3), padding });
    const up = bench.tensor(rows, cols, { data: random.normals(rows * cols) });
    const gate2 = bench.tensor(rows, cols, { data: random.normals(rows * cols, 3) });
    const out = bench.tensor(rows, cols, { padding });
    return bench.run(
      [
        { op: 'glu', activation, gate, up, out },
        { op: 'glu', activation, gate: gate2, up, out: up },
        { op: 'glu', activation, gate, up: out, out: gate },
      ],
      [out, up, gate],
    );
  };
}

/** Each value is a scenario of its own scale: gate v, up 1/v. */
function largeGates(activation: Activation): Scenario[] {
  return Array.from(LARGE, (value) => ({
    label: `gate ${value}`,
    outputs: (bench) => {
      const cols = 19;
      const gate = bench.tensor(1, cols, { data: new Float32Array(cols).fill(value) });
      const up = bench.tensor(1, cols, {
        data: new Float32Array(cols).fill(1 / Math.max(1, Math.abs(value))),
      });
      return bench.run([{ op: 'glu', activation, gate, up, out: gate }], [gate]);
    },
  }));
}
