// Opens the tokenizer of a checkpoint: tokenizer.json or the vocabulary files it is made from, and what stands
// beside them.

import { AirllmError } from '@airllm/errors';
import type { ConvertedTokenizer } from '@airllm/tokenizer-formats';
import {
  type ChatTemplateSources,
  type CheckpointFiles,
  readChatTemplates,
} from '../chat/chat-template-sources.js';
import { ChatTemplate } from '../chat/chat-template.js';
import { CoreError } from '../errors.js';
import { correctTokenizer, rephraseTokenizerJson } from './library-deviations.js';
import { missingTokenizer } from './missing-tokenizer.js';
import { ModelTokenizer } from './model-tokenizer.js';
import { parseSpecialTokens } from './special-tokens.js';
import { readVocabulary } from './tokenizer-files.js';
import { Tokenizer, type LibraryTokenizer } from './tokenizer-library.js';

/** What is needed of a `Checkpoint`. */
export interface TokenizerSource extends CheckpointFiles {
  /** For messages. */
  readonly id: string;
  readonly folder?: string;
}

/** Classes that put BOS where `add_bos_token` says, whatever tokenizer.json holds (transformers). */
const OBEYS_ADD_BOS = /^(Llama|CodeLlama|Gemma|Cohere)\w*Tokenizer/;

/**
 * Reads tokenizer.json (or tokenizer.model, qwen.tiktoken, vocab.json with merges.txt), tokenizer_config.json,
 * special_tokens_map.json and the chat template. A family whose checkpoints bring no template gets its chat
 * format from `@airllm/tokenizer-formats`.
 *
 * @throws {@link CoreError} `MISSING_TOKENIZER`, `INVALID_TOKENIZER`, `INVALID_CHAT`
 * @example
 * const tokenizer = await loadTokenizer(checkpoint);
 * tokenizer.decode(tokenizer.encode('Hello')); // 'Hello'
 */
export async function loadTokenizer(source: TokenizerSource): Promise<ModelTokenizer> {
  const json = await readTokenizerJson(source);
  const config = asRecord(await source.readJson('tokenizer_config.json'));
  const converted = json === undefined ? await convert(source, config) : undefined;
  const specialTokens = {
    ...converted?.specialTokens,
    ...parseSpecialTokens(config, asRecord(await source.readJson('special_tokens_map.json'))),
  };
  const templates = withFamilyFormat(await readChatTemplates(source, config), converted);
  const tokenizer = await build(source.id, converted?.json ?? json, config);
  return new ModelTokenizer({
    tokenizer,
    specialTokens,
    chatTemplate: new ChatTemplate(templates, specialTokens),
    addBosToken: addBosToken(config),
    turnEndIds: converted?.turnEndIds,
  });
}

/** A GGUF file makes its tokenizer.json when asked, and may have a kind that nothing here knows. */
async function readTokenizerJson(source: TokenizerSource): Promise<unknown> {
  try {
    return await source.readJson('tokenizer.json');
  } catch (cause) {
    if (!(cause instanceof AirllmError) || cause.code !== 'UNSUPPORTED_TOKENIZER') throw cause;
    throw new CoreError('MISSING_TOKENIZER', `${cause.message} Pass token ids.`, {
      fields: { id: source.id },
      cause,
    });
  }
}

async function convert(
  source: TokenizerSource,
  tokenizerConfig: Readonly<Record<string, unknown>>,
): Promise<ConvertedTokenizer> {
  const files = await readVocabulary(source);
  if (files === undefined) throw await missingTokenizer(source.id, source.folder);
  const context = {
    id: source.id,
    tokenizerConfig,
    modelConfig: asRecord(await source.readJson('config.json')),
    generationConfig: asRecord(await source.readJson('generation_config.json')),
    addedTokens: await source.readJson('added_tokens.json'),
  };
  const { convertTokenizer } = await import('@airllm/tokenizer-formats');
  try {
    return convertTokenizer(files, context);
  } catch (cause) {
    if (AirllmError.isInstance(cause) && cause.code === 'UNSUPPORTED_TOKENIZER') {
      const advice = 'Convert it to tokenizer.json (save_pretrained in transformers), or pass token ids.';
      throw new CoreError('MISSING_TOKENIZER', `${cause.message} ${advice}`, {
        fields: { id: source.id },
        cause,
      });
    }
    throw invalidTokenizer(source.id, 'the vocabulary files', cause);
  }
}

async function build(
  id: string,
  json: unknown,
  config: Readonly<Record<string, unknown>>,
): Promise<LibraryTokenizer> {
  try {
    const rephrased = rephraseTokenizerJson(asRecord(json));
    const tokenizer = new Tokenizer(rephrased, config);
    await correctTokenizer(tokenizer, rephrased);
    return tokenizer;
  } catch (cause) {
    throw invalidTokenizer(id, 'tokenizer.json', cause);
  }
}

function invalidTokenizer(id: string, what: string, cause: unknown): CoreError {
  const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, '');
  return new CoreError(
    'INVALID_TOKENIZER',
    `Expected ${what} of ${id} to describe a tokenizer but could not read it: ${reason}. Download it again.`,
    { fields: { id }, cause },
  );
}

function withFamilyFormat(
  templates: ChatTemplateSources,
  converted: ConvertedTokenizer | undefined,
): ChatTemplateSources {
  if (converted === undefined) return templates;
  const { chatTemplate, adaptTemplate } = converted;
  if (templates.size === 0) return new Map(chatTemplate === undefined ? [] : [['default', chatTemplate]]);
  return new Map([...templates].map(([name, text]) => [name, adaptTemplate(text)]));
}

function addBosToken(config: Readonly<Record<string, unknown>>): boolean | undefined {
  const flag = config['add_bos_token'];
  const className = config['tokenizer_class'];
  const obeys = typeof className === 'string' && OBEYS_ADD_BOS.test(className);
  return obeys && typeof flag === 'boolean' ? flag : undefined;
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
