// The activation functions, and the sigmoid and softplus that gates are made of.

import type { Activation } from '../command.js';
import { erf } from './erf.js';

/** σ(x) = 1 / (1 + exp(−x)). */
export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** log(1 + exp(x)), without overflow. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

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
