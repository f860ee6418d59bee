// What a conversation is, and the check that something is one. What a given template makes of it is the template's.

import { CoreError } from '../errors.js';

export interface ChatContentPart {
  /** `text`, or what the template knows: `image`, `tool_reference` … */
  readonly type: string;
  readonly text?: string;
  readonly [field: string]: unknown;
}

export interface ChatMessage {
  /** `system`, `user`, `assistant`, `tool`, or another role the template knows. */
  readonly role: string;
  /** May be null or left out only beside `tool_calls` (or the older `function_call`). */
  readonly content?: string | readonly ChatContentPart[] | null;
  /** `tool_calls`, `tool_call_id`, `name`, `reasoning_content` … are passed to the template as they are. */
  readonly [field: string]: unknown;
}

/**
 * Checks a conversation from outside.
 *
 * @throws {@link CoreError} `INVALID_CHAT`, with the path of the field, what was expected and what was found
 */
export function parseMessages(value: unknown): readonly ChatMessage[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw invalid('messages', 'a non-empty list of { role, content }', value);
  }
  value.forEach((message: unknown, index) => checkMessage(message, `messages[${index}]`));
  return value as ChatMessage[];
}

function checkMessage(message: unknown, path: string): void {
  if (!isRecord(message)) throw invalid(path, 'an object { role, content }', message);
  if (typeof message['role'] !== 'string' || message['role'] === '') {
    throw invalid(`${path}.role`, "a role such as 'user'", message['role']);
  }
  const content = message['content'] ?? undefined;
  if (typeof content === 'string') return;
  if (Array.isArray(content)) {
    content.forEach((part: unknown, index) => checkPart(part, `${path}.content[${index}]`));
    return;
  }
  const callsTool = Array.isArray(message['tool_calls']) || isRecord(message['function_call']);
  if (content !== undefined || !callsTool) {
    throw invalid(`${path}.content`, 'a string or a list of content parts', message['content']);
  }
}

function checkPart(part: unknown, path: string): void {
  if (!isRecord(part) || typeof part['type'] !== 'string') throw invalid(path, 'an object { type, … }', part);
  if (part['type'] === 'text' && typeof part['text'] !== 'string') {
    throw invalid(`${path}.text`, 'a string', part['text']);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(path: string, expected: string, found: unknown): CoreError {
  const shown = Array.isArray(found) ? `a list of ${found.length}` : found === null ? 'null' : typeof found;
  return new CoreError('INVALID_CHAT', `Expected ${expected} for ${path} but received ${shown}.`, {
    fields: { path, expected, found },
  });
}
