// The activation functions of gated MLPs.

import type { Activation } from '../command.js';
import { erf } from './erf.js';

/** x · σ(x) (Elfwing et al. 2017). */
export function silu(x: number): number {
  return x / (1 + Math.exp(-x));
}

/** x · Φ(x), Φ the normal distribution (Hendrycks & Gimpel 2016). */
export function gelu(x: number): number {
  return 0.5 * x * (1 + erf(x / Math.SQRT2));
}

/** The tanh approximation of GELU from the same paper. */
export function geluTanh(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

export function activationFunction(activation: Activation): (x: number) => number {
  switch (activation) {
    case 'silu':
      return silu;
    case 'gelu':
      return gelu;
    case 'gelu-tanh':
      return geluTanh;
  }
}
