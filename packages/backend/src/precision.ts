// How a backend may compute sums of products.

/**
 * - `exact`: activations stay float32, and a row has the same bits whatever rows share its pass.
 * - `fast`: a `linear` of many rows may round activations and weights to bfloat16, once, to nearest, as a model that
 *   runs in bfloat16 does; sums stay float32. Which passes have many rows is the backend's choice, so the tokens of a
 *   sequence may depend on the batch it shares and on how its prompt is divided. Weights in f32 are used as they are,
 *   and so is everything in a pass of one row.
 */
export type Precision = 'exact' | 'fast';

export const PRECISIONS: readonly Precision[] = ['exact', 'fast'];
