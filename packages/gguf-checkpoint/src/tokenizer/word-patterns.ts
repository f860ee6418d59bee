// How text is cut into words before merging, by the name that `tokenizer.ggml.pre` gives it. The patterns are those of
// the tokenizer.json files that the names stand for.

import { GgufError, shown } from '../gguf-error.js';

export interface WordRule {
  /** Applied one after the other, each to the pieces of the one before. */
  readonly patterns: readonly string[];
  /** A word that is a token is taken as it is. */
  readonly ignoreMerges: boolean;
  /** When the file does not say. */
  readonly addBos: boolean;
  /** Unicode normalization first. */
  readonly nfc: boolean;
}

/** English endings in any case; U+017F because `(?i:'s)` of the originals matches it. */
const ENDINGS = "'[sS\u017F]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]";
const CL100K = (digits: string): string =>
  `${ENDINGS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const UPPER = '\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}';
const LOWER = '\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}';
const TEKKEN =
  `[^\\r\\n\\p{L}\\p{N}]?[${UPPER}]*[${LOWER}]+|[^\\r\\n\\p{L}\\p{N}]?[${UPPER}]+[${LOWER}]*` +
  '|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const CJK = '[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+';

const rule = (patterns: readonly string[], options: Partial<WordRule> = {}): WordRule => ({
  patterns,
  ignoreMerges: false,
  addBos: false,
  nfc: false,
  ...options,
});

const gpt2 = rule([GPT2]);
const digitwise = rule(['\\p{N}', GPT2]);
const qwen2 = rule([CL100K('\\p{N}')], { nfc: true });
const llama3 = rule([CL100K('\\p{N}{1,3}')], { ignoreMerges: true, addBos: true });
const cl100k = rule([CL100K('\\p{N}{1,3}')]);

const RULES: ReadonlyMap<string, WordRule> = new Map([
  ['gpt-2', gpt2],
  ['phi-2', gpt2],
  ['olmo', gpt2],
  ['smollm', digitwise],
  ['starcoder', digitwise],
  ['refact', digitwise],
  ['command-r', digitwise],
  ['qwen2', qwen2],
  ['deepseek-r1-qwen', qwen2],
  ['llama-bpe', llama3],
  ['llama3', llama3],
  ['llama-v3', llama3],
  ['smaug-bpe', cl100k],
  ['dbrx', cl100k],
  ['tekken', rule([TEKKEN], { ignoreMerges: true, addBos: true })],
  ['deepseek-coder', rule(['[\\r\\n]', '\\s?\\p{L}+', '\\s?\\p{P}+', CJK, '\\p{N}'])],
]);

export const KNOWN_WORD_RULES = [...RULES.keys()];

/** @throws GgufError `UNSUPPORTED_TOKENIZER` with the list of what there is */
export function wordRule(name: string): WordRule {
  const found = RULES.get(name);
  if (found) return found;
  throw new GgufError(
    'UNSUPPORTED_TOKENIZER',
    `Expected one of ${KNOWN_WORD_RULES.join(', ')} for tokenizer.ggml.pre but found ${shown(name)}. Use the model's safetensors checkpoint, or pass token ids.`,
    { fields: { pre: name, supported: KNOWN_WORD_RULES } },
  );
}
