// How far the encoded tensor is from its source: sums gathered while encoding, and the figures they give.

/** Sums over elements x of the source and y of what its codes stand for. */
export interface ErrorSums {
  /** Σ x² */
  readonly source: number;
  /** Σ (x − y)² */
  readonly error: number;
  /** Σ x (x − y) */
  readonly cross: number;
  /** max |x − y| */
  readonly largest: number;
}

export interface ErrorFigures {
  /** √(Σ (x − y)² ÷ Σ x²); 0 for a tensor of zeros. */
  readonly relativeRms: number;
  /** max |x − y| */
  readonly maxAbs: number;
  /** Σ xy ÷ √(Σ x² Σ y²); 1 for a tensor of zeros. */
  readonly cosine: number;
}

export const NO_ERROR: ErrorSums = { source: 0, error: 0, cross: 0, largest: 0 };

/** The sums of two parts of a tensor together. */
export function addSums(a: ErrorSums, b: ErrorSums): ErrorSums {
  return {
    source: a.source + b.source,
    error: a.error + b.error,
    cross: a.cross + b.cross,
    largest: Math.max(a.largest, b.largest),
  };
}

/**
 * The sums of a tensor whose block factors a were replaced by b; `factors` are the sums of that step. Exact for blocks
 * whose mean square relative to their factor is that of the whole tensor, and this share of the error is hundreds of
 * times smaller than that of the codes. `largest` becomes an upper bound.
 */
export function withFactorError(codes: ErrorSums, factors: ErrorSums): ErrorSums {
  if (factors.source === 0) return codes;
  const perFactor = codes.source / factors.source;
  return {
    source: codes.source,
    error: codes.error + perFactor * factors.error,
    cross: codes.cross + perFactor * factors.cross,
    largest: codes.largest + factors.largest,
  };
}

export function errorFigures({ source, error, cross, largest }: ErrorSums): ErrorFigures {
  if (source === 0) return { relativeRms: 0, maxAbs: largest, cosine: 1 };
  const decoded = source - 2 * cross + error;
  return {
    relativeRms: Math.sqrt(error / source),
    maxAbs: largest,
    cosine: decoded > 0 ? (source - cross) / Math.sqrt(source * decoded) : 0,
  };
}
