// What a model counts over its runs.

/** Counters since the model was opened. */
export interface RunCounters {
  passes: number;
  /** Those that were computed again after a device was lost are counted again. */
  promptTokens: number;
  generatedTokens: number;
  /** Tokens that came out of decode passes: all but the first of every sequence. */
  decodeTokens: number;
  /** Seconds in passes that computed a prompt, and in passes that computed one token per sequence. */
  prefillSeconds: number;
  decodeSeconds: number;
  /**
   * Of `decodeSeconds`, those in which no read was in flight. While weights are streamed this is time that the disk lost;
   * where all of them stay in memory it is all of it.
   */
  decodeIdleSeconds: number;
}

export function createRunCounters(): RunCounters {
  return {
    passes: 0,
    promptTokens: 0,
    generatedTokens: 0,
    decodeTokens: 0,
    prefillSeconds: 0,
    decodeSeconds: 0,
    decodeIdleSeconds: 0,
  };
}

export interface PassTime {
  readonly seconds: number;
  /** Of these, the ones without a read in flight. */
  readonly idleSeconds: number;
}

type PassTokens = readonly { readonly tokens: readonly number[] }[];

/** One token per sequence. */
export function isDecode(passes: PassTokens): boolean {
  return passes.every(({ tokens }) => tokens.length === 1);
}

/** Adds a pass that gave `generated` tokens. */
export function countPass(
  counters: RunCounters,
  passes: PassTokens,
  generated: number,
  { seconds, idleSeconds }: PassTime,
): void {
  counters.passes += 1;
  counters.generatedTokens += generated;
  if (isDecode(passes)) {
    counters.decodeSeconds += seconds;
    counters.decodeIdleSeconds += idleSeconds;
    counters.decodeTokens += generated;
  } else {
    counters.prefillSeconds += seconds;
    counters.promptTokens += passes.reduce((sum, { tokens }) => sum + tokens.length, 0);
  }
}
