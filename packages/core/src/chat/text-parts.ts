// Content given as a list of text parts, for templates that know only strings.

import type { ChatMessage } from './chat-message.js';

const PROBE = 'probe-of-content-parts';

/**
 * Whether a template reads content parts: it is asked to render one. A template that takes content for a string
 * fails, leaves the text out or writes the list as it is.
 *
 * @param render the template with its special tokens
 */
export function takesParts(render: (messages: readonly ChatMessage[]) => string): boolean {
  try {
    const text = render([{ role: 'user', content: [{ type: 'text', text: PROBE }] }]);
    return text.includes(PROBE) && !/['"]type['"]/.test(text);
  } catch {
    return false;
  }
}

/** Messages with text parts joined by line breaks; those with other parts stay as they are. */
export function joinTextParts(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  return messages.map((message) => {
    const { content } = message;
    if (typeof content === 'string' || !Array.isArray(content)) return message;
    const texts = (content as readonly { type: string; text?: string }[]).flatMap(({ type, text }) =>
      type === 'text' && text !== undefined ? [text] : [],
    );
    return texts.length === content.length ? { ...message, content: texts.join('\n') } : message;
  });
}
