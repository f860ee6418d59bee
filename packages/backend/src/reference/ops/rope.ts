// Rotary position embedding (Su et al. 2021), in place, by given cosines and sines.

import type { RopeCommand } from '../../command.js';
import { Matrix } from '../matrix.js';

/**
 * x [T, heads · headDim], cos, sin [T, rotaryDim / 2]. The pair (a, b) becomes
 * (a · cos − b · sin, b · cos + a · sin); columns outside [rotaryStart, rotaryStart + rotaryDim) stay as they are.
 */
export function rope(command: RopeCommand, values: Float64Array): void {
  const x = new Matrix(values, command.x);
  const cos = new Matrix(values, command.cos);
  const sin = new Matrix(values, command.sin);
  const pairs = command.rotaryDim / 2;
  const interleaved = command.style === 'interleaved';
  for (let t = 0; t < x.rows; t++) {
    for (let start = command.rotaryStart; start < x.cols; start += command.headDim) {
      for (let i = 0; i < pairs; i++) {
        const first = start + (interleaved ? 2 * i : i);
        const second = start + (interleaved ? 2 * i + 1 : i + pairs);
        const a = x.get(t, first);
        const b = x.get(t, second);
        x.set(t, first, a * cos.get(t, i) - b * sin.get(t, i));
        x.set(t, second, b * cos.get(t, i) + a * sin.get(t, i));
      }
    }
  }
}
