// The special tokens a checkpoint names: bos_token, eos_token and so on, as chat templates see them.

import { z } from 'zod';

/** Token text by name; `additional_special_tokens` is a list. Names without a token are absent. */
export interface SpecialTokens {
  readonly bos_token?: string;
  readonly eos_token?: string;
  readonly unk_token?: string;
  readonly pad_token?: string;
  readonly additional_special_tokens?: readonly string[];
  readonly [name: string]: string | readonly string[] | undefined;
}

const NAMES = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'];

/** Files hold a token as its text, or as an AddedToken object around it. */
const token = z.union([z.string(), z.object({ content: z.string() }).transform((added) => added.content)]);
const tokenList = z.array(token);

/**
 * Reads special_tokens_map.json under tokenizer_config.json: where both name a token the latter wins. Entries of
 * another form are passed over.
 */
export function parseSpecialTokens(
  tokenizerConfig: Readonly<Record<string, unknown>>,
  specialTokensMap: Readonly<Record<string, unknown>> = {},
): SpecialTokens {
  const tokens: Record<string, string | string[]> = {};
  for (const file of [specialTokensMap, tokenizerConfig]) {
    for (const name of NAMES) {
      const parsed = token.safeParse(file[name]);
      if (parsed.success) tokens[name] = parsed.data;
    }
    const additional = tokenList.safeParse(file['additional_special_tokens']);
    if (additional.success) tokens['additional_special_tokens'] = additional.data;
  }
  return tokens;
}
