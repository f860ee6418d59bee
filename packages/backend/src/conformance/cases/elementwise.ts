// fill, accumulate, glu.

import type { Activation } from '../../command.js';
import { compareWithReference, type Scenario } from '../compare-with-reference.js';
import type { ConformanceCase } from '../conformance-case.js';
import { Random } from '../random.js';
import { ELEMENTWISE, EXACT, TRANSCENDENTAL } from '../tolerances.js';

const SHAPES = [1, 3, 17].flatMap((rows) =>
  [1, 3, 7, 8, 15, 16, 17, 31, 33, 100, 1000].map((cols) => ({ rows, cols })),
);

const ACTIVATIONS: readonly Activation[] = ['silu', 'gelu', 'gelu-tanh'];

/** Where activations saturate, and where a careless exp() overflows. */
const LARGE = Float32Array.of(
  0,
  -0,
  1e-30,
  -1e-30,
  5,
  -5,
  20,
  -20,
  88,
  -88,
  89,
  -89,
  104,
  -104,
  1000,
  -1000,
  1e9,
  -1e9,
);

export function elementwiseCases(): ConformanceCase[] {
  return [
    {
      name: 'fill',
      op: 'fill',
      group: 'accuracy',
      tolerance: EXACT,
      run: (backend) => compareWithReference(backend, shapes(fillScenario)),
    },
    {
      name: 'accumulate',
      op: 'accumulate',
      group: 'accuracy',
      tolerance: ELEMENTWISE,
      run: (backend) => compareWithReference(backend, shapes(accumulateScenario)),
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
            shapes((shape) => gluScenario(activation, shape)),
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

interface Shape {
  rows: number;
  cols: number;
  padding: number;
}

function shapes(scenario: (shape: Shape) => Scenario): Scenario[] {
  return SHAPES.flatMap((shape) => [0, 5].map((padding) => scenario({ ...shape, padding })));
}

function labelOf({ rows, cols, padding }: Shape): string {
  return `[${rows}, ${cols}] with row stride ${cols + padding}`;
}

function fillScenario(shape: Shape): Scenario {
  return {
    label: labelOf(shape),
    outputs: (bench) => {
      const x = bench.tensor(shape.rows, shape.cols, { padding: shape.padding });
      return bench.run([{ op: 'fill', x, value: -0.375 }], [x]);
    },
  };
}

function accumulateScenario(shape: Shape): Scenario {
  const { rows, cols, padding } = shape;
  return {
    label: labelOf(shape),
    outputs: (bench) => {
      const random = new Random(rows * 1009 + cols);
      const x = bench.tensor(rows, cols, { data: random.normals(rows * cols), padding });
      const y = bench.tensor(rows, cols, { data: random.normals(rows * cols) });
      return bench.run([{ op: 'accumulate', x, y }], [x]);
    },
  };
}

/** Output into a third tensor, into the gate and into up. */
function gluScenario(activation: Activation, shape: Shape): Scenario {
  const { rows, cols, padding } = shape;
  return {
    label: labelOf(shape),
    outputs: (bench) => {
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
    },
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
