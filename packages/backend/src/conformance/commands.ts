// Commands without their options, for cases that are about something else.

/** Attention to everything before a row, as scaled dot products and nothing more. */
export const PLAIN_ATTENTION = {
  window: undefined,
  chunk: undefined,
  softcap: undefined,
  sinks: undefined,
  alibiSlopes: undefined,
} as const;

/** A matrix product and nothing more. */
export const PLAIN_LINEAR = { bias: undefined, normalizeRows: false } as const;

/** A sequence that starts with its first token and owns the first block and slot. */
export const FIRST_SEQUENCE = { rowStart: 0, past: 0, blocks: Int32Array.of(0), slot: 0 } as const;
