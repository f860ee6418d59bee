// Tokens beside the vocabulary proper: those tokenizer_config.json and added_tokens.json declare, those a family
// adds by rule, and those that are control symbols of the vocabulary file. Later sources win.

import { invalid } from './errors.js';
import { MAX_VOCAB_SIZE } from './limits.js';
import type { AddedTokenJson } from './tokenizer-json.js';

/** A token by rule: a special one, found in the raw text. */
export function specialToken(id: number, content: string): AddedTokenJson {
  return {
    id,
    content,
    special: true,
    normalized: false,
    lstrip: false,
    rstrip: false,
    single_word: false,
  };
}

/** Reads `added_tokens_decoder` of tokenizer_config.json: `{ "<id>": { content, special, … } }`. */
export function parseAddedTokensDecoder(value: unknown): AddedTokenJson[] {
  if (value === undefined || value === null) return [];
  return entriesOf(value, 'added_tokens_decoder').map(([key, token]) => {
    const content = isRecord(token) ? token['content'] : undefined;
    if (!isRecord(token) || typeof content !== 'string') {
      throw invalid(`Expected added_tokens_decoder[${key}] to be a token with content.`);
    }
    const flag = (name: string): boolean => token[name] === true;
    const special = flag('special');
    return {
      id: parseId(Number(key), content),
      content,
      special,
      normalized: typeof token['normalized'] === 'boolean' ? token['normalized'] : !special,
      lstrip: flag('lstrip'),
      rstrip: flag('rstrip'),
      single_word: flag('single_word'),
    };
  });
}

/** Reads added_tokens.json: `{ "<token>": id }`; transformers takes them as special. */
export function parseAddedTokensJson(value: unknown): AddedTokenJson[] {
  if (value === undefined || value === null) return [];
  return entriesOf(value, 'added_tokens.json').map(([content, id]) =>
    specialToken(parseId(id, content), content),
  );
}

/**
 * One token per id and per text, by ascending id; where sources differ the later one wins.
 *
 * @throws TokenizerFormatError `INVALID_TOKENIZER` when two texts of one source claim the same id
 */
export function mergeAddedTokens(...sources: readonly (readonly AddedTokenJson[])[]): AddedTokenJson[] {
  const byId = new Map<number, AddedTokenJson>();
  for (const source of sources) {
    const claimed = new Map<number, string>();
    for (const token of source) {
      const other = claimed.get(token.id);
      if (other !== undefined && other !== token.content) {
        throw invalid(`Expected one token per id but ${token.id} is both ${other} and ${token.content}.`);
      }
      claimed.set(token.id, token.content);
      byId.set(token.id, token);
    }
  }
  const byContent = new Map([...byId.values()].map((token) => [token.content, token] as const));
  return [...byContent.values()].filter(({ content }) => content !== '').sort((a, b) => a.id - b.id);
}

function parseId(id: unknown, content: string): number {
  if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < 2 * MAX_VOCAB_SIZE) return id;
  throw invalid(`Expected a token id for ${content} but found ${String(id)}.`);
}

function entriesOf(value: unknown, name: string): [string, unknown][] {
  if (!isRecord(value)) throw invalid(`Expected ${name} to be an object but found ${typeof value}.`);
  const entries = Object.entries(value);
  if (entries.length > MAX_VOCAB_SIZE) {
    throw invalid(`Expected at most ${MAX_VOCAB_SIZE} entries in ${name} but found ${entries.length}.`);
  }
  return entries;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
