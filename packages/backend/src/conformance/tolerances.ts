// How far a float32 backend may be from the float64 reference, relative to the root mean square of the
// outputs, and why. One rounding of float32 is u = 2⁻²⁴ = 6e-8 of the value rounded.

/** Moves values without arithmetic: same bits. (Values below 2⁻¹²⁶ may be flushed to zero.) */
export const EXACT = 0;

/** One or two roundings; the largest of some thousand normal values is about 5 root mean squares. */
export const ELEMENTWISE = 2e-6;

/**
 * A float32 sum of K products of unit variance is off by about u·√(K·log K/L) of its root mean square √K for
 * one of L lanes: below 5e-6 up to K = 4096 and L = 1, some thousand outputs looked at. Inputs or products
 * rounded to 16 bits are off by 2⁻⁹ = 2e-3 and are refused by a wide margin.
 */
export const SUMMED = 1e-5;

/**
 * `fast` precision: both operands of a product rounded to 8 bits are off by 2⁻⁹ of themselves each, the product by 2⁻⁸,
 * and the largest of some thousand products of normal values is about 12 root mean squares (a sum of one
 * product is the worst case). Operands that are cut instead of rounded are off by twice that.
 */
export const ROUNDED_OPERANDS = 5e-2;

/** exp, tanh and erf by the usual float32 polynomials: a few units in the last place, times the argument. */
export const TRANSCENDENTAL = 1e-5;

/** A score s is off by about 4u·|s|, and so is its exp() relatively; scores of these cases stay below 40. */
export const ATTENTION = 2e-5;

/** Scores of about 1000: exp() turns their absolute error, 1000·4u, into a relative one. */
export const ATTENTION_LARGE_SCORES = 5e-4;

/**
 * A state that is corrected at every row gains one rounding of each of its products per row, and forgets by decay and
 * correction (its factors are at most 1): below √T · 4u for T rows of some hundred, in sums over at most 128 columns.
 */
export const RECURRENT = 3e-5;

/**
 * Values of mean 1000 and deviation 1: their float32 mean is off by some 1000u = 6e-5 of the deviation times the
 * roundings of its sum. A variance taken as mean(x²) − mean(x)² would be off by 10⁶u = 6e-2.
 */
export const LARGE_MEAN = 2e-3;
