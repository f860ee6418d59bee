// Shapes at which vector loops end: below, at and past every vector length, contiguous and not.

import type { Scenario } from '../compare-with-reference.js';

export interface ElementwiseShape {
  readonly rows: number;
  readonly cols: number;
  /** Elements between rows. */
  readonly padding: number;
}

const SHAPES = [1, 3, 17].flatMap((rows) =>
  [1, 3, 7, 8, 15, 16, 17, 31, 33, 100, 1000].map((cols) => ({ rows, cols })),
);

export function elementwiseScenarios(outputs: (shape: ElementwiseShape) => Scenario['outputs']): Scenario[] {
  return SHAPES.flatMap(({ rows, cols }) =>
    [0, 5].map((padding) => ({
      label: `[${rows}, ${cols}] with row stride ${cols + padding}`,
      outputs: outputs({ rows, cols, padding }),
    })),
  );
}

/** Where activations saturate, and where a careless exp() overflows. */
export const LARGE = Float32Array.of(
  ...[0, -0, 1e-30, -1e-30, 5, -5, 20, -20, 88, -88, 89, -89, 104, -104, 1000, -1000, 1e9, -1e9],
);
