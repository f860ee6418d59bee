// The vocabulary in the metadata, checked: texts, kinds, and which tokens have a part to play.

import { GgufError, shown } from '../gguf-error.js';
import { MAX_VOCAB_SIZE } from '../limits.js';
import type { Metadata } from '../metadata.js';
import { TOKENS_KEY } from '../read-token-texts.js';

/** `tokenizer.ggml.token_type`. Source: ggml-org/llama.cpp, include/llama.h. */
export const TokenKind = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

export interface Vocabulary {
  readonly texts: readonly string[];
  /** One of `TokenKind` each. */
  readonly kinds: readonly number[];
  /** Ids, where the file names them. */
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  readonly unkId: number | undefined;
  readonly padId: number | undefined;
  /** Ends of a turn: what the file names, and those that llama.cpp knows by their text. */
  readonly endIds: readonly number[];
}

/** Control tokens that end an answer, whatever `eos_token_id` says. Source: llama.cpp, src/llama-vocab.cpp. */
const ENDS = [
  '<|eot_id|>',
  '<|eom_id|>',
  '<|im_end|>',
  '<|end|>',
  '<|end_of_text|>',
  '<|endoftext|>',
  '<EOT>',
];

/** @throws GgufError `INVALID_TOKENIZER`, `INVALID_METADATA` */
export function readVocabulary(metadata: Metadata): Vocabulary {
  const texts = metadata.strings(TOKENS_KEY);
  const count = texts.length;
  if (count === 0 || count > MAX_VOCAB_SIZE) {
    throw invalidTokenizer(`1 to ${MAX_VOCAB_SIZE} tokens but the file has ${count}`);
  }
  const known = new Map<string, number>();
  texts.forEach((text, id) => {
    const other = known.get(text);
    if (text === '' || other !== undefined) {
      throw invalidTokenizer(`a text of its own for token ${id} but it is ${shown(text)}, as token ${other}`);
    }
    known.set(text, id);
  });
  const typesKey = 'tokenizer.ggml.token_type';
  const kinds = metadata.has(typesKey)
    ? metadata.numbers(typesKey, count)
    : Array.from({ length: count }, () => TokenKind.normal);
  const idOf = (name: string): number | undefined => {
    const key = `tokenizer.ggml.${name}_token_id`;
    return metadata.has(key) ? metadata.integer(key, { min: 0, max: count - 1 }) : undefined;
  };
  const eosId = idOf('eos');
  const named = [eosId, idOf('eot'), idOf('eom')];
  const byText = ENDS.map((text) => known.get(text)).filter(
    (id) => id !== undefined && kinds[id] === TokenKind.control,
  );
  return {
    texts,
    kinds,
    bosId: idOf('bos'),
    eosId,
    unkId: idOf('unknown'),
    padId: idOf('padding'),
    endIds: [...new Set([...named, ...byText])].filter((id) => id !== undefined),
  };
}

export function invalidTokenizer(expected: string): GgufError {
  return new GgufError('INVALID_TOKENIZER', `Expected ${expected}. Convert the model again.`);
}
