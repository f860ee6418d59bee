// The JSON files around a tokenizer, from metadata: what tokenizer.json, tokenizer_config.json and
// generation_config.json of the original checkpoint would say.

import type { AddedTokenJson, TokenizerJson } from '@airllm/tokenizer-formats';
import { GgufError, shown } from '../gguf-error.js';
import type { Metadata } from '../metadata.js';
import { byteLevelTokenizer, type SurroundingToken } from './byte-level.js';
import { sentencePieceTokenizer } from './sentencepiece.js';
import { readVocabulary, TokenKind, type Vocabulary } from './vocabulary.js';
import { wordRule } from './word-patterns.js';

/** By file name; made when asked for. Empty for a file without a vocabulary. */
export type TokenizerFiles = Readonly<Record<string, () => unknown>>;

/** Word rules of files from before `tokenizer.ggml.pre`, where the architecture has only one. */
const USUAL_WORD_RULE: Readonly<Record<string, string>> = { qwen2: 'qwen2', qwen2moe: 'qwen2' };

export function tokenizerFiles(metadata: Metadata, architecture: string): TokenizerFiles {
  const key = 'tokenizer.ggml.model';
  if (!metadata.has(key) || metadata.raw(key) === 'no_vocab') return {};
  const source = (): TokenizerSource => readSource(metadata, architecture);
  return {
    'tokenizer.json': () => tokenizerJson(metadata, source()),
    'tokenizer_config.json': () => tokenizerConfig(metadata, source()),
    'generation_config.json': () => generationConfig(readVocabulary(metadata)),
  };
}

interface TokenizerSource {
  readonly model: 'llama' | 'gpt2';
  /** Name of the word rule; of no use for `llama`. */
  readonly pre: string;
  readonly vocabulary: Vocabulary;
  readonly addBos: boolean;
  readonly addEos: boolean;
}

function readSource(metadata: Metadata, architecture: string): TokenizerSource {
  const model = metadata.string('tokenizer.ggml.model');
  if (model !== 'llama' && model !== 'gpt2') {
    throw new GgufError(
      'UNSUPPORTED_TOKENIZER',
      `Expected llama or gpt2 for tokenizer.ggml.model but found ${shown(model)}.`,
      { fields: { model } },
    );
  }
  const pre = metadata.string('tokenizer.ggml.pre', USUAL_WORD_RULE[architecture] ?? 'default');
  const usuallyBos = model === 'llama' || wordRule(pre).addBos;
  return {
    model,
    pre,
    vocabulary: readVocabulary(metadata),
    addBos: metadata.boolean('tokenizer.ggml.add_bos_token', usuallyBos),
    addEos: metadata.boolean('tokenizer.ggml.add_eos_token', false),
  };
}

function tokenizerJson(metadata: Metadata, source: TokenizerSource): TokenizerJson {
  const { vocabulary, addBos, addEos, pre, model } = source;
  const { bosId, eosId } = vocabulary;
  const around = (wanted: boolean, id: number | undefined): SurroundingToken[] =>
    wanted && id !== undefined ? [{ content: vocabulary.texts[id] ?? '', id }] : [];
  const options = {
    addedTokens: addedTokens(vocabulary),
    before: around(addBos, bosId),
    after: around(addEos, eosId),
  };
  return model === 'llama'
    ? sentencePieceTokenizer(metadata, vocabulary, options)
    : byteLevelTokenizer(metadata, vocabulary, { ...options, pre });
}

/** Tokens that are found in the raw text. User-defined ones are text, the others marks. */
function addedTokens({ texts, kinds }: Vocabulary): AddedTokenJson[] {
  const marks: number[] = [TokenKind.control, TokenKind.unknown];
  return texts.flatMap((content, id) => {
    const special = marks.includes(kinds[id] ?? TokenKind.normal);
    if (!special && kinds[id] !== TokenKind.userDefined) return [];
    return [{ id, content, special, normalized: false, lstrip: false, rstrip: false, single_word: false }];
  });
}

function tokenizerConfig(metadata: Metadata, { vocabulary, addBos, addEos }: TokenizerSource) {
  const { texts, bosId, eosId, unkId, padId } = vocabulary;
  const textOf = (id: number | undefined): string | null => (id === undefined ? null : (texts[id] ?? null));
  const templates = chatTemplates(metadata);
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    add_bos_token: addBos,
    add_eos_token: addEos,
    bos_token: textOf(bosId),
    eos_token: textOf(eosId),
    unk_token: textOf(unkId),
    pad_token: textOf(padId),
    ...(templates === undefined ? {} : { chat_template: templates }),
  };
}

/** One template, or several by name. */
function chatTemplates(metadata: Metadata): string | { name: string; template: string }[] | undefined {
  const key = 'tokenizer.chat_template';
  const only = metadata.has(key) ? metadata.string(key) : undefined;
  const named = metadata.has('tokenizer.chat_templates') ? metadata.strings('tokenizer.chat_templates') : [];
  if (named.length === 0) return only;
  return [
    ...(only === undefined ? [] : [{ name: 'default', template: only }]),
    ...named.map((name) => ({ name, template: metadata.string(`${key}.${name}`) })),
  ];
}

function generationConfig({ bosId, endIds, padId }: Vocabulary): Record<string, unknown> {
  return {
    ...(bosId === undefined ? {} : { bos_token_id: bosId }),
    ...(endIds.length === 0 ? {} : { eos_token_id: endIds }),
    ...(padId === undefined ? {} : { pad_token_id: padId }),
  };
}
