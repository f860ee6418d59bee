// activate, sigmoidGate, clampedGlu, softcap, scale, scaleRows.

import type { Activation, Command } from '../../command.js';
import type { Tensor } from '../../tensor.js';
import type { WeightSlice } from '../../weight.js';
import { compareWithReference, type Scenario } from '../compare-with-reference.js';
import type { ConformanceCase } from '../conformance-case.js';
import { Random } from '../random.js';
import { ELEMENTWISE, TRANSCENDENTAL } from '../tolerances.js';
import { ACTIVATIONS } from './elementwise.js';
import { elementwiseScenarios, LARGE, type ElementwiseShape } from './shapes.js';

type Outputs = Scenario['outputs'];

export function gateCases(): ConformanceCase[] {
  return [
    ...ACTIVATIONS.map((activation) =>
      gateCase(
        `activate ${activation}`,
        elementwiseScenarios((shape) => activate(activation, shape)),
      ),
    ),
    gateCase('sigmoidGate', elementwiseScenarios(sigmoidGate)),
    gateCase('clampedGlu', elementwiseScenarios(clampedGlu)),
    gateCase('softcap', elementwiseScenarios(softcap)),
    { ...gateCase('scale', elementwiseScenarios(scale)), tolerance: ELEMENTWISE },
    { ...gateCase('scaleRows', elementwiseScenarios(scaleRows)), tolerance: ELEMENTWISE },
    ...Object.entries(SATURATED).map(([name, command]) =>
      gateCase(`${name} of large values`, [onLargeValues(command)]),
    ),
  ];
}

function gateCase(name: string, scenarios: readonly Scenario[]): ConformanceCase {
  return {
    name,
    op: name.split(' ')[0] ?? name,
    group: 'accuracy',
    tolerance: TRANSCENDENTAL,
    run: (backend) => compareWithReference(backend, scenarios),
  };
}

/** Into another tensor and in place. */
function activate(activation: Activation, { rows, cols, padding }: ElementwiseShape): Outputs {
  return (bench) => {
    const data = new Random(rows * 1019 + cols).normals(rows * cols, 3);
    const x = bench.tensor(rows, cols, { data, padding });
    const out = bench.tensor(rows, cols);
    return bench.run(
      [
        { op: 'activate', activation, x, out },
        { op: 'activate', activation, x, out: x },
      ],
      [out, x],
    );
  };
}

/** A gate for every column, into another tensor; a gate for every row, in place. */
function sigmoidGate({ rows, cols, padding }: ElementwiseShape): Outputs {
  return (bench) => {
    const random = new Random(rows * 1021 + cols);
    const x = bench.tensor(rows, cols, { data: random.normals(rows * cols), padding });
    const gate = bench.tensor(rows, cols, { data: random.normals(rows * cols, 3), padding: 1 });
    const rowGate = bench.tensor(rows, 1, { data: random.normals(rows, 3), padding });
    const out = bench.tensor(rows, cols);
    return bench.run(
      [
        { op: 'sigmoidGate', x, gate, out },
        { op: 'sigmoidGate', x, gate: rowGate, out: x },
      ],
      [out, x],
    );
  };
}

/** Half of the gates and most of the linear parts are beyond the limit. */
function clampedGlu({ rows, cols, padding }: ElementwiseShape): Outputs {
  return (bench) => {
    const data = new Random(rows * 1031 + cols).normals(rows * cols * 2, 3);
    const x = bench.tensor(rows, 2 * cols, { data, padding });
    const out = bench.tensor(rows, cols, { padding });
    return bench.run([{ op: 'clampedGlu', x, alpha: 1.702, limit: 1.5, out }], [out]);
  };
}

function softcap({ rows, cols, padding }: ElementwiseShape): Outputs {
  return (bench) => {
    const data = new Random(rows * 1033 + cols).normals(rows * cols, 40);
    const x = bench.tensor(rows, cols, { data, padding });
    return bench.run([{ op: 'softcap', x, cap: 30 }], [x]);
  };
}

function scale({ rows, cols, padding }: ElementwiseShape): Outputs {
  return (bench) => {
    const x = bench.tensor(rows, cols, { data: new Random(cols).normals(rows * cols), padding });
    return bench.run([{ op: 'scale', x, value: Math.fround(Math.sqrt(3584)) }], [x]);
  };
}

function scaleRows({ rows, cols, padding }: ElementwiseShape): Outputs {
  return (bench) => {
    const random = new Random(rows * 1039 + cols);
    const x = bench.tensor(rows, cols, { data: random.normals(rows * cols), padding });
    // One column of a wider tensor, as a router leaves it.
    const scales = bench.tensor(rows, 7, { data: random.normals(rows * 7) });
    return bench.run([{ op: 'scaleRows', x, scales: scales.columns(3, 1) }], [x]);
  };
}

type OnLarge = (operands: { x: Tensor; ones: Tensor; out: Tensor }) => Command<WeightSlice>;

/** What stays bounded however large `x` is; `x` has two rows: large values, and the same in another order. */
const SATURATED: Readonly<Record<string, OnLarge>> = {
  sigmoidGate: ({ x, ones, out }) => ({ op: 'sigmoidGate', x: ones, gate: x, out }),
  softcap: ({ x }) => ({ op: 'softcap', x, cap: 50 }),
  clampedGlu: ({ x, out }) => ({
    op: 'clampedGlu',
    x,
    alpha: 1.702,
    limit: 7,
    out: out.columns(0, x.cols / 2),
  }),
};

function onLargeValues(command: OnLarge): Scenario {
  return {
    label: Array.from(LARGE).join(' '),
    outputs: (bench) => {
      const cols = LARGE.length;
      const data = Float32Array.of(...LARGE, ...LARGE.toReversed());
      const operands = {
        x: bench.tensor(2, cols, { data }),
        ones: bench.tensor(2, cols, { data: data.map(() => 1) }),
        out: bench.tensor(2, cols),
      };
      const op = command(operands);
      return bench.run([op], ['out' in op ? op.out : operands.x]);
    },
  };
}
