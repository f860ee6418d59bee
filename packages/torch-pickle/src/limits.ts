// The limit both formats share.

/** The pickle of a file with 100 000 tensors has some 20 MB; a file with 1000 has 100 kB. */
export const MAX_PICKLE_BYTES = 32 * 2 ** 20;
