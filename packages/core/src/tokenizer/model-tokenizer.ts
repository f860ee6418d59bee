// The tokenizer of a model: @huggingface/tokenizers with the conventions of language models around it (special
// tokens, BOS, chat).

import type { ChatMessage } from '../chat/chat-message.js';
import type { ChatTemplate, ChatTemplateOptions } from '../chat/chat-template.js';
import type { SpecialTokens } from './special-tokens.js';
import type { LibraryTokenizer } from './tokenizer-library.js';

export interface ModelTokenizerParts {
  readonly tokenizer: LibraryTokenizer;
  readonly specialTokens: SpecialTokens;
  readonly chatTemplate: ChatTemplate;
  /** `add_bos_token` of tokenizer_config.json, where it must be obeyed; undefined: as tokenizer.json does. */
  readonly addBosToken?: boolean | undefined;
  /** What ends a turn of the chat format, beside EOS. */
  readonly turnEndIds?: readonly number[] | undefined;
}

/** Text to token ids and back. Made by `loadTokenizer`. */
export class ModelTokenizer {
  readonly bosTokenId: number | undefined;
  /** What the tokenizer calls its end, and what ends a turn; generation_config.json may name others. */
  readonly eosTokenIds: readonly number[];
  /** Tokens that are marks and no text: decoding leaves them out unless asked. */
  readonly specialIds: ReadonlySet<number>;
  private readonly tokenizer: LibraryTokenizer;
  private readonly chatTemplate: ChatTemplate;
  private readonly addBosToken: boolean | undefined;

  constructor({ tokenizer, specialTokens, chatTemplate, addBosToken, turnEndIds = [] }: ModelTokenizerParts) {
    this.tokenizer = tokenizer;
    this.chatTemplate = chatTemplate;
    this.addBosToken = addBosToken;
    const idOf = (token: string | undefined): number | undefined =>
      token === undefined ? undefined : tokenizer.token_to_id(token);
    this.bosTokenId = idOf(specialTokens.bos_token);
    const eosTokenId = idOf(specialTokens.eos_token);
    this.eosTokenIds = [...(eosTokenId === undefined ? [] : [eosTokenId]), ...turnEndIds];
    const specialIds = new Set<number>();
    for (const [id, added] of tokenizer.get_added_tokens_decoder()) if (added.special) specialIds.add(id);
    for (const token of Object.values(specialTokens).flat()) {
      const id = idOf(token);
      if (id !== undefined) specialIds.add(id);
    }
    this.specialIds = specialIds;
  }

  /**
   * Token ids of a text. Special tokens written in the text become their single ids.
   *
   * @param options.addSpecialTokens add what the model expects around a text (BOS …). Default true
   */
  encode(text: string, { addSpecialTokens = true }: { addSpecialTokens?: boolean } = {}): number[] {
    const asStored = addSpecialTokens && this.addBosToken !== false;
    const { ids } = this.tokenizer.encode(text, { add_special_tokens: asStored });
    const bos = this.bosTokenId;
    const bosMissing = addSpecialTokens && this.addBosToken === true && bos !== undefined && ids[0] !== bos;
    return bosMissing ? [bos, ...ids] : ids;
  }

  /**
   * The text of token ids, spaces as they are: `clean_up_tokenization_spaces` is not applied, so that pieces of a
   * stream join to the whole. Ids that stand for no token are passed over.
   *
   * @param options.skipSpecialTokens default true
   */
  decode(ids: readonly number[], { skipSpecialTokens = true }: { skipSpecialTokens?: boolean } = {}): string {
    const known = ids.filter(
      (id) => this.tokenizer.id_to_token(id) !== undefined && !(skipSpecialTokens && this.specialIds.has(id)),
    );
    return known.length === 0 ? '' : this.tokenizer.decode(known, { clean_up_tokenization_spaces: false });
  }

  /** Whether the checkpoint brings a chat template. */
  get hasChatTemplate(): boolean {
    return this.chatTemplate.exists;
  }

  /**
   * The text of a conversation in the model's own format.
   *
   * @throws {@link CoreError} `INVALID_CHAT`, `NO_CHAT_TEMPLATE`
   */
  applyChatTemplate(messages: readonly ChatMessage[], options?: ChatTemplateOptions): string {
    return this.chatTemplate.render(messages, options);
  }

  /** Token ids of a conversation. The template writes BOS itself where the model wants it, so none is added. */
  encodeChat(messages: readonly ChatMessage[], options?: ChatTemplateOptions): number[] {
    return this.encode(this.applyChatTemplate(messages, options), { addSpecialTokens: false });
  }
}
