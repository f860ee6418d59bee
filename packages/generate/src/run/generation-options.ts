// What the caller may ask of a run.

import { GenerateError } from '../errors.js';
import { samplingOptionNames, type SamplingOptions } from '../sampling/sampling-options.js';

export interface GenerationOptions extends SamplingOptions {
  /** Tokens to generate at most. Default: `max_new_tokens` of generation_config.json, else 256. */
  maxNewTokens?: number | undefined;
  /** Generation ends before any of these texts; needs a decoder. Default none. */
  stop?: string | readonly string[] | undefined;
  /** Go on past end-of-sequence tokens. Default false. */
  ignoreEos?: boolean | undefined;
  /** Ends the run with an `ABORTED` error. */
  signal?: AbortSignal | undefined;
  /** Called when a layer (or, with `stage === layers`, the head) is about to be computed. */
  onStage?: ((stage: number) => void) | undefined;
}

export const DEFAULT_MAX_NEW_TOKENS = 256;

/** @throws GenerateError `INVALID_OPTION` */
export function resolveMaxNewTokens(
  options: GenerationOptions,
  generationConfig: Readonly<Record<string, unknown>>,
): number {
  const value: unknown = options.maxNewTokens ?? generationConfig['max_new_tokens'] ?? DEFAULT_MAX_NEW_TOKENS;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) {
    throw new GenerateError(
      'INVALID_OPTION',
      `Expected a whole number of at least 1 for maxNewTokens but received ${String(value)}`,
      {
        fields: { option: 'maxNewTokens', expected: 'integer ≥ 1', found: value },
      },
    );
  }
  return value;
}

const OPTION_NAMES: ReadonlySet<string> = new Set<keyof GenerationOptions>([
  ...samplingOptionNames,
  'maxNewTokens',
  'stop',
  'ignoreEos',
  'signal',
  'onStage',
]);

/** @throws GenerateError `INVALID_OPTION` for a name that is no option: none is ignored silently */
export function checkOptionNames(options: GenerationOptions): void {
  const unknown = Object.keys(options).find((name) => !OPTION_NAMES.has(name));
  if (unknown === undefined) return;
  const expected = [...OPTION_NAMES].join(', ');
  throw new GenerateError('INVALID_OPTION', `Unknown option ${unknown}. Known are ${expected}.`, {
    fields: { option: unknown, expected },
  });
}
