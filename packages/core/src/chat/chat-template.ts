// Renders conversations with a checkpoint's own Jinja templates, as transformers' apply_chat_template does.
// Jinja itself is in compile-jinja.ts; nothing a template contains is run as code.

import { CoreError } from '../errors.js';
import { type ChatMessage, parseMessages } from './chat-message.js';
import type { ChatTemplateSources } from './chat-template-sources.js';
import { compileJinja } from './compile-jinja.js';
import { joinTextParts, takesParts } from './text-parts.js';

export interface ChatTemplateOptions {
  /** End with the opening of the assistant's turn. Default true (transformers: false). */
  readonly addGenerationPrompt?: boolean;
  /** JSON schemas of the tools the model may call; they choose the `tool_use` template where there is one. */
  readonly tools?: readonly unknown[] | null;
  /** Documents for retrieval templates. */
  readonly documents?: readonly unknown[] | null;
  /** Anything else becomes a variable of the template by its own name: `enable_thinking` … */
  readonly [variable: string]: unknown;
}

/** The chat templates of one model, parsed when first used. */
export class ChatTemplate {
  private readonly compiled = new Map<string, ReturnType<typeof compileJinja>>();

  /**
   * @param sources from `readChatTemplates`
   * @param specialTokens variables every template sees: `bos_token`, `eos_token` …
   */
  constructor(
    private readonly sources: ChatTemplateSources,
    private readonly specialTokens: Readonly<Record<string, unknown>>,
  ) {}

  /** Whether the checkpoint brings a template at all. */
  get exists(): boolean {
    return this.sources.size > 0;
  }

  /**
   * The text of a conversation, special tokens written out (so it is encoded without adding any). Text parts become
   * one string where the template knows only strings.
   *
   * @throws {@link CoreError} `INVALID_CHAT` for messages that are none or that the template refuses,
   * `NO_CHAT_TEMPLATE`
   */
  render(messages: readonly ChatMessage[], options: ChatTemplateOptions = {}): string {
    const { addGenerationPrompt = true, tools = null, documents = null, ...variables } = options;
    const checked = parseMessages(messages);
    const name = this.choose(tools !== null && tools.length > 0);
    try {
      const template = this.compile(name);
      const apply = (conversation: readonly ChatMessage[]): string =>
        template({
          ...this.specialTokens,
          tools,
          documents,
          ...variables,
          messages: conversation,
          add_generation_prompt: addGenerationPrompt,
        });
      const hasParts = checked.some(({ content }) => Array.isArray(content));
      return apply(hasParts && !takesParts(apply) ? joinTextParts(checked) : checked);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new CoreError(
        'INVALID_CHAT',
        `The model's chat template '${name}' does not take this conversation: ${reason}. ` +
          'Check the order of roles and the fields the template expects.',
        { fields: { template: name }, cause },
      );
    }
  }

  private choose(withTools: boolean): string {
    if (withTools && this.sources.has('tool_use')) return 'tool_use';
    if (this.sources.has('default')) return 'default';
    const found = [...this.sources.keys()];
    throw new CoreError(
      'NO_CHAT_TEMPLATE',
      found.length === 0
        ? 'This checkpoint has no chat template (chat_template.jinja, chat_template.json, or chat_template in ' +
            'tokenizer_config.json). Pass the prompt as text.'
        : `Expected a chat template named 'default' but found only ${found.join(', ')}.`,
      { fields: { found } },
    );
  }

  private compile(name: string): ReturnType<typeof compileJinja> {
    let template = this.compiled.get(name);
    if (template === undefined) {
      template = compileJinja(this.sources.get(name) ?? '');
      this.compiled.set(name, template);
    }
    return template;
  }
}
