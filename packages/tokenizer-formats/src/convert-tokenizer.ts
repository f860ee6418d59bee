// The front door: the tokenizer files of a checkpoint in, a tokenizer.json object and what the family's own code
// adds to it out.

import {
  mergeAddedTokens,
  parseAddedTokensDecoder,
  parseAddedTokensJson,
  specialToken,
} from './added-tokens.js';
import { invalid } from './errors.js';
import type { Family, FamilyHints } from './families/family.js';
import { findFamily } from './families/find-family.js';
import { parseVocabulary, type VocabularyFiles } from './parse-vocabulary.js';
import type { TokenWithId } from './surrounding-tokens.js';
import type { AddedTokenJson, TokenizerJson } from './tokenizer-json.js';

/** The other files of the checkpoint, parsed; all may be left out. */
export interface TokenizerContext {
  /** The name the checkpoint was opened by; some families are told apart by it. */
  readonly id?: string;
  readonly tokenizerConfig?: Readonly<Record<string, unknown>>;
  readonly modelConfig?: Readonly<Record<string, unknown>>;
  readonly generationConfig?: Readonly<Record<string, unknown>>;
  /** added_tokens.json */
  readonly addedTokens?: unknown;
}

export interface ConvertedTokenizer {
  readonly family: string;
  readonly json: TokenizerJson;
  /** `bos_token`, `eos_token` …, for names that tokenizer_config.json leaves open. */
  readonly specialTokens: Readonly<Record<string, string>>;
  /** Ids that end a turn of the chat format, beside EOS. */
  readonly turnEndIds: readonly number[];
  /** The family's chat format as Jinja, for checkpoints without a template; undefined: none is known. */
  readonly chatTemplate: string | undefined;
  /** What a template of the checkpoint must go through to name tokens as they are named here. */
  readonly adaptTemplate: (source: string) => string;
}

/**
 * @throws TokenizerFormatError `INVALID_TOKENIZER` (damaged or hostile), `UNSUPPORTED_TOKENIZER` (unknown family)
 * @example
 * const { json } = convertTokenizer({ model: await readFile('tokenizer.model') }, { tokenizerConfig });
 * const tokenizer = new Tokenizer(json, tokenizerConfig);
 */
export function convertTokenizer(files: VocabularyFiles, context: TokenizerContext = {}): ConvertedTokenizer {
  const hints: FamilyHints = {
    id: context.id ?? '',
    tokenizerConfig: context.tokenizerConfig ?? {},
    modelConfig: context.modelConfig ?? {},
    generationConfig: context.generationConfig ?? {},
  };
  const { kind, vocabulary } = parseVocabulary(files);
  const family = findFamily(kind, hints);
  const addedTokens = mergeAddedTokens(
    family.addedTokens?.(vocabulary.tokens.length) ?? [],
    parseAddedTokensJson(context.addedTokens),
    parseAddedTokensDecoder(hints.tokenizerConfig['added_tokens_decoder']).filter(
      (token) => !family.renames?.(token.content),
    ),
  );
  const specialTokens = { ...vocabulary.specialTokens, ...family.specialTokens };
  const ids = new Map<string, number>();
  vocabulary.tokens.forEach((token, id) => ids.set(token, id));
  for (const { content, id } of addedTokens) ids.set(content, id);
  const json = vocabulary.convert({
    addedTokens: [...missingSpecialTokens(specialTokens, addedTokens, ids), ...addedTokens],
    family,
    ...surrounding(family, hints, specialTokens, ids),
    tokenizerConfig: hints.tokenizerConfig,
  });
  const textOf = new Map([...ids].map(([token, id]) => [id, token]));
  return {
    family: family.name,
    json,
    specialTokens,
    turnEndIds: (family.turnEnds ?? []).flatMap((token) => ids.get(token) ?? []),
    chatTemplate: family.chatTemplate?.(hints, (id) => textOf.get(id)),
    adaptTemplate: family.adaptTemplate ?? ((source) => source),
  };
}

/** Special tokens by name that are in the vocabulary but that nothing declares as added: GPT-2's end of text. */
function missingSpecialTokens(
  specialTokens: Readonly<Record<string, string>>,
  addedTokens: readonly AddedTokenJson[],
  ids: ReadonlyMap<string, number>,
): AddedTokenJson[] {
  const declared = new Set(addedTokens.map(({ content }) => content));
  return [...new Set(Object.values(specialTokens))].flatMap((content) => {
    const id = ids.get(content);
    return id === undefined || declared.has(content) ? [] : [specialToken(id, content)];
  });
}

/** What goes around every text: the family's prefix, or BOS and EOS as tokenizer_config.json asks. */
function surrounding(
  family: Family,
  { tokenizerConfig }: FamilyHints,
  specialTokens: Readonly<Record<string, string>>,
  ids: ReadonlyMap<string, number>,
): { before: TokenWithId[]; after: TokenWithId[] } {
  const named = (name: 'bos_token' | 'eos_token'): string[] => {
    const stored = tokenizerConfig[name];
    const content: unknown = isRecord(stored) ? stored['content'] : (stored ?? specialTokens[name]);
    return typeof content === 'string' ? [content] : [];
  };
  const asked = (name: string, otherwise: boolean): boolean =>
    typeof tokenizerConfig[name] === 'boolean' ? tokenizerConfig[name] : otherwise;
  const withIds = (tokens: readonly string[]): TokenWithId[] =>
    tokens.map((content) => {
      const id = ids.get(content);
      if (id === undefined)
        throw invalid(`Expected ${content} in the vocabulary of a ${family.name} tokenizer.`);
      return { content, id };
    });
  const bos = asked('add_bos_token', family.addBos ?? false) ? named('bos_token') : [];
  return {
    before: withIds(family.prefix ?? bos),
    after: withIds(asked('add_eos_token', false) ? named('eos_token') : []),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
