// Opens the tokenizer of a checkpoint: tokenizer.json, and what stands beside it.

import { type CheckpointFiles, readChatTemplates } from '../chat/chat-template-sources.js';
import { ChatTemplate } from '../chat/chat-template.js';
import { CoreError } from '../errors.js';
import { missingTokenizer } from './missing-tokenizer.js';
import { ModelTokenizer } from './model-tokenizer.js';
import { parseSpecialTokens } from './special-tokens.js';
import { Tokenizer } from './tokenizer-library.js';

/** What is needed of a `Checkpoint`. */
export interface TokenizerSource extends CheckpointFiles {
  /** For messages. */
  readonly id: string;
  readonly folder?: string;
}

/** Classes that put BOS where `add_bos_token` says, whatever tokenizer.json holds (transformers). */
const OBEYS_ADD_BOS = /^(Llama|CodeLlama|Gemma|Cohere)\w*Tokenizer/;

/**
 * Reads tokenizer.json, tokenizer_config.json, special_tokens_map.json and the chat template.
 *
 * @throws {@link CoreError} `MISSING_TOKENIZER`, `INVALID_TOKENIZER`, `INVALID_CHAT`
 * @example
 * const tokenizer = await loadTokenizer(checkpoint);
 * tokenizer.decode(tokenizer.encode('Hello')); // 'Hello'
 */
export async function loadTokenizer(source: TokenizerSource): Promise<ModelTokenizer> {
  const json = await source.readJson('tokenizer.json');
  if (json === undefined) throw await missingTokenizer(source.id, source.folder);
  const config = asRecord(await source.readJson('tokenizer_config.json'));
  const specialTokens = parseSpecialTokens(
    config,
    asRecord(await source.readJson('special_tokens_map.json')),
  );
  const chatTemplate = new ChatTemplate(await readChatTemplates(source, config), specialTokens);
  try {
    const tokenizer = new Tokenizer(asRecord(json), config);
    return new ModelTokenizer({ tokenizer, specialTokens, chatTemplate, addBosToken: addBosToken(config) });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CoreError(
      'INVALID_TOKENIZER',
      `Expected tokenizer.json of ${source.id} to describe a tokenizer but could not read it: ${reason}. ` +
        'Download the file again.',
      { fields: { id: source.id }, cause },
    );
  }
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
