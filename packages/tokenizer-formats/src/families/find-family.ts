// Which family a checkpoint's tokenizer belongs to. An unknown one is refused: its special tokens and rules would
// be guessed.

import { TokenizerFormatError } from '../errors.js';
import { baichuan } from './baichuan.js';
import { gpt2, qwen2 } from './byte-level.js';
import { chatglm2, chatglm3, glm4 } from './chatglm.js';
import type { Family, FamilyHints } from './family.js';
import { internlm, internlm2 } from './internlm.js';
import { llama, llama3 } from './llama.js';
import { qwen } from './qwen.js';

/** Families by the kind of their vocabulary file; where several match, the first. */
export const FAMILIES = {
  sentencepiece: [chatglm3, chatglm2, baichuan, internlm, internlm2, llama],
  tiktoken: [qwen, glm4, llama3],
  vocab: [gpt2, qwen2],
} as const satisfies Record<string, readonly Family[]>;

export type VocabularyKind = keyof typeof FAMILIES;

/**
 * By `tokenizer_class` (with or without `Fast`), else by `model_type`. A SentencePiece file without either is
 * Llama's: it says all that matters itself.
 *
 * @throws TokenizerFormatError `UNSUPPORTED_TOKENIZER`, listing what is known
 */
export function findFamily(kind: VocabularyKind, hints: FamilyHints): Family {
  const families: readonly Family[] = FAMILIES[kind];
  const storedClass = hints.tokenizerConfig['tokenizer_class'];
  const modelType = hints.modelConfig['model_type'];
  const className = typeof storedClass === 'string' ? storedClass.replace(/Fast$/, '') : undefined;
  const isIn = (family: Family): boolean => family.matches?.(hints) ?? true;
  const generic = (name: string | undefined): boolean =>
    name === 'PreTrainedTokenizer' || name === 'TokenizersBackend';
  const byType = families.find(
    (family) => family.modelTypes.some((type) => type === modelType) && isIn(family),
  );
  const byClass = families.find((family) => hasClass(family, className) && isIn(family));
  const found = className === undefined || generic(className) ? (byType ?? byClass) : byClass;
  if (found !== undefined) return found;
  if (kind === 'sentencepiece' && className === undefined && modelType === undefined) return llama;
  if (kind === 'tiktoken' && className === undefined && modelType === undefined) return llama3;
  throw new TokenizerFormatError(
    'UNSUPPORTED_TOKENIZER',
    `Expected a tokenizer of a known family but found tokenizer_class ${String(storedClass)} and model_type ` +
      `${String(modelType)}. Known with a ${kind} file: ${families.map(({ name }) => name).join(', ')}.`,
    { fields: { kind, tokenizerClass: storedClass, modelType } },
  );
}

function hasClass(family: Family, className: string | undefined): boolean {
  return family.tokenizerClasses.some((name) => name.replace(/Fast$/, '') === className);
}
