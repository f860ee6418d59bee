// What a model counts over its runs.

/** Counters since the model was opened. */
export interface RunCounters {
  passes: number;
  promptTokens: number;
  generatedTokens: number;
  /** Tokens that came out of decode passes: all but the first of every sequence. */
  decodeTokens: number;
  /** Seconds in passes that computed a prompt, and in passes that computed one token per sequence. */
  prefillSeconds: number;
  decodeSeconds: number;
}

export function createRunCounters(): RunCounters {
  return {
    passes: 0,
    promptTokens: 0,
    generatedTokens: 0,
    decodeTokens: 0,
    prefillSeconds: 0,
    decodeSeconds: 0,
  };
}
