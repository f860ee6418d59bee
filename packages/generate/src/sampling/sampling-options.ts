// What the caller may ask of the choice of the next token, and how it meets generation_config.json.
// Owns names, defaults and validation; how each option changes the logits is in the files beside it.

import { GenerateError } from '../errors.js';

/** Every field is optional; `undefined` and `null` mean "as generation_config.json says, else the default". */
export interface SamplingOptions {
  /** Divides the logits. 0 asks for greedy decoding; above 0 asks for sampling. Default 1 when sampling. */
  temperature?: number | null;
  /** Keep the `topK` largest logits (and those equal to the last of them). Default 0: off. */
  topK?: number | null;
  /** Keep the smallest set of tokens whose probability reaches `topP`, 0–1. Default 1: off. */
  topP?: number | null;
  /** Drop tokens less probable than `minP` × the most probable one, 0–1. Default 0: off. */
  minP?: number | null;
  /** Above 1 disfavours tokens of the prompt and of the text so far. Default 1: off. */
  repetitionPenalty?: number | null;
  /** Subtracted once from the logit of every generated token, −2 to 2 as OpenAI has it. Default 0. */
  presencePenalty?: number | null;
  /** Subtracted once per occurrence from the logit of every generated token, −2 to 2. Default 0. */
  frequencyPenalty?: number | null;
  /** Added to the logit of a token id; `-Infinity` bans it. Default: none. */
  logitBias?: Readonly<Record<number, number>> | ReadonlyMap<number, number> | null;
  /** Same seed, same prompt, same place in the batch: same tokens. Default: a new one per call. */
  seed?: number | null;
  /** Ask for sampling (true) or greedy decoding (false) outright. */
  doSample?: boolean | null;
}

/** {@link SamplingOptions} with nothing left open. */
export interface ResolvedSamplingOptions {
  readonly doSample: boolean;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
  readonly logitBias: ReadonlyMap<number, number>;
  readonly seed: number;
}

interface Rule {
  /** The field of generation_config.json, where transformers has one. */
  configName?: string;
  expected: string;
  accepts(value: number): boolean;
}

const between = (low: number, high: number, configName?: string): Rule => ({
  ...(configName === undefined ? {} : { configName }),
  expected: `a number from ${low} to ${high}`,
  accepts: (value) => value >= low && value <= high,
});

const RULES = {
  temperature: {
    configName: 'temperature',
    expected: 'a finite number, 0 or more',
    accepts: (value) => value >= 0 && Number.isFinite(value),
  },
  topK: {
    configName: 'top_k',
    expected: 'a whole number, 0 (off) or more',
    accepts: (value) => Number.isSafeInteger(value) && value >= 0,
  },
  topP: between(0, 1, 'top_p'),
  minP: between(0, 1, 'min_p'),
  repetitionPenalty: {
    configName: 'repetition_penalty',
    expected: 'a finite number above 0',
    accepts: (value) => value > 0 && Number.isFinite(value),
  },
  presencePenalty: between(-2, 2),
  frequencyPenalty: between(-2, 2),
  seed: {
    expected: 'a whole number from 0 to 2^53 - 1',
    accepts: (value) => Number.isSafeInteger(value) && value >= 0,
  },
} satisfies Record<string, Rule>;

type NumericOption = keyof typeof RULES;

/** The names of {@link SamplingOptions}, for callers that check their own options for unknown names. */
export const samplingOptionNames: readonly (keyof SamplingOptions)[] = [
  'temperature',
  'topK',
  'topP',
  'minP',
  'repetitionPenalty',
  'presencePenalty',
  'frequencyPenalty',
  'logitBias',
  'seed',
  'doSample',
];

/**
 * Applies defaults and checks everything. The caller's options come first, then generation_config.json.
 *
 * Sampling happens when `doSample` is true, or a `temperature` above 0 is given, or generation_config.json has
 * `do_sample: true`; otherwise decoding is greedy. Unlike transformers, which samples with `top_k: 50` unless told
 * otherwise, a filter nobody asked for is off.
 *
 * @throws {@link GenerateError} `INVALID_OPTION`
 * @example
 * resolveSamplingOptions({ temperature: 0.7, seed: 1 }, { top_p: 0.9 }).topP; // 0.9
 */
export function resolveSamplingOptions(
  options: SamplingOptions = {},
  generationConfig: Readonly<Record<string, unknown>> = {},
): ResolvedSamplingOptions {
  const numeric = (name: NumericOption, fallback: number): number => {
    const rule: Rule = RULES[name];
    const given = options[name] ?? undefined;
    if (given !== undefined) return checked(name, given, rule);
    const stored =
      rule.configName === undefined ? undefined : (generationConfig[rule.configName] ?? undefined);
    return stored === undefined
      ? fallback
      : checked(`generation_config.json ${rule.configName}`, stored, rule);
  };
  const doSample = resolveDoSample(options, generationConfig);
  const temperature = numeric('temperature', 1);
  if (doSample && temperature === 0) {
    throw invalid(
      'temperature',
      'a number above 0 when sampling (leave out doSample for greedy decoding)',
      0,
    );
  }
  return {
    doSample,
    temperature,
    topK: numeric('topK', 0),
    topP: numeric('topP', 1),
    minP: numeric('minP', 0),
    repetitionPenalty: numeric('repetitionPenalty', 1),
    presencePenalty: numeric('presencePenalty', 0),
    frequencyPenalty: numeric('frequencyPenalty', 0),
    logitBias: resolveLogitBias(options.logitBias ?? undefined),
    seed: options.seed == null ? randomSeed() : numeric('seed', 0),
  };
}

function resolveDoSample(options: SamplingOptions, config: Readonly<Record<string, unknown>>): boolean {
  const given: unknown = options.doSample ?? undefined;
  if (given !== undefined) {
    if (typeof given !== 'boolean') throw invalid('doSample', 'true or false', given);
    return given;
  }
  if (typeof options.temperature === 'number') return options.temperature > 0;
  return config['do_sample'] === true;
}

function resolveLogitBias(given: SamplingOptions['logitBias']): ReadonlyMap<number, number> {
  const bias = new Map<number, number>();
  if (given == null) return bias;
  if (typeof given !== 'object')
    throw invalid('logitBias', 'an object or a Map from token id to number', given);
  for (const [key, value] of given instanceof Map ? given : Object.entries(given)) {
    const tokenId = typeof key === 'string' && !/^\d+$/.test(key) ? NaN : Number(key);
    if (!Number.isSafeInteger(tokenId) || tokenId < 0) throw invalid('logitBias', 'token ids as keys', key);
    if (typeof value !== 'number' || Number.isNaN(value) || value === Infinity) {
      throw invalid(`logitBias[${tokenId}]`, 'a finite number, or -Infinity to ban the token', value);
    }
    bias.set(tokenId, value);
  }
  return bias;
}

function checked(name: string, value: unknown, rule: Rule): number {
  if (typeof value !== 'number' || !rule.accepts(value)) throw invalid(name, rule.expected, value);
  return value;
}

function invalid(option: string, expected: string, found: unknown): GenerateError {
  // Not JSON.stringify alone: it shows NaN and Infinity as null.
  const shown = typeof found === 'number' ? `${found}` : (JSON.stringify(found) ?? typeof found);
  return new GenerateError('INVALID_OPTION', `Expected ${expected} for ${option} but received ${shown}.`, {
    fields: { option, expected, found },
  });
}

function randomSeed(): number {
  return Math.floor(Math.random() * 2 ** 53);
}
