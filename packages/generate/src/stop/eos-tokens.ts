// Which token ids end a sequence.

import { GenerateError } from '../errors.js';

export interface EosSources {
  /** Go on past every end-of-sequence token. Default false. */
  ignoreEos?: boolean | undefined;
  /** generation_config.json, parsed. */
  generationConfig?: Readonly<Record<string, unknown>> | undefined;
  /** config.json, parsed. */
  config?: Readonly<Record<string, unknown>> | undefined;
  /** What the tokenizer calls its end-of-sequence tokens. */
  tokenizerEosIds?: readonly number[] | undefined;
}

/**
 * The end-of-sequence ids of a model: `eos_token_id` (a number or a list) of generation_config.json, else of
 * config.json, else the tokenizer's.
 *
 * @throws {@link GenerateError} `INVALID_OPTION` when a file holds something else under that name
 */
export function resolveEosTokenIds(sources: EosSources): ReadonlySet<number> {
  if (sources.ignoreEos === true) return new Set();
  const files = [
    ['generation_config.json', sources.generationConfig],
    ['config.json', sources.config],
  ] as const;
  for (const [fileName, config] of files) {
    const stored = config?.['eos_token_id'] ?? undefined;
    if (stored !== undefined) return new Set(parseIds(stored, `${fileName} eos_token_id`));
  }
  return new Set(sources.tokenizerEosIds ?? []);
}

function parseIds(stored: unknown, option: string): number[] {
  const ids: unknown[] = Array.isArray(stored) ? stored : [stored];
  return ids.map((id) => {
    if (typeof id !== 'number' || !Number.isSafeInteger(id)) {
      const expected = 'a token id or a list of token ids';
      throw new GenerateError(
        'INVALID_OPTION',
        `Expected ${expected} for ${option} but received ${String(id)}.`,
        {
          fields: { option, expected, found: id },
        },
      );
    }
    return id;
  });
}
