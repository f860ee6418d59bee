// How each byte-level family cuts text into words before merging. Patterns are data of the published tokenizers.

import { sequence, type StepJson } from './tokenizer-json.js';

/**
 * English endings in any case. Written out because the JavaScript library folds ASCII only: `(?i:'s)` of the
 * originals also matches U+017F, the long s.
 */
const ENDINGS = "'[sS\u017F]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]";
const WORDS = (digits: string): string =>
  `${ENDINGS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

export const WORD_PATTERNS = {
  /** openai/gpt-2, src/encoder.py */
  gpt2: "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  /** QwenLM/Qwen, tokenization_qwen.py; Qwen2 and 3 too: one digit at a time */
  qwen: WORDS('\\p{N}'),
  /** meta-llama/llama-models, llama3/tokenizer.py; GLM-4 too: up to three digits (cl100k_base) */
  llama3: WORDS('\\p{N}{1,3}'),
} as const;

/** Cuts by a pattern, then writes bytes in the byte-level alphabet. */
export function byteLevelWords(pattern: string, addPrefixSpace = false): StepJson | null {
  return sequence('pretokenizers', [
    ...(addPrefixSpace
      ? [{ type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: false }]
      : []),
    { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false },
    { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
  ]);
}
