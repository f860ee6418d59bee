// What can be given to a model, and the token ids it stands for.

import type { ChatMessage } from './chat/chat-message.js';
import { CoreError } from './errors.js';
import type { ModelTokenizer } from './tokenizer/model-tokenizer.js';

/**
 * Raw text (one prompt or several), a conversation for the model's chat template, or token ids (one prompt or
 * several).
 */
export type Prompt =
  | string
  | readonly string[]
  | { readonly messages: readonly ChatMessage[] }
  | { readonly inputIds: readonly number[] | readonly (readonly number[])[] };

export interface EncodedPrompts {
  readonly ids: readonly (readonly number[])[];
  /** True when the prompt was a list of prompts, and so is the result. */
  readonly isList: boolean;
}

/**
 * @param tokenizer called only where text has to be encoded
 * @throws CoreError `INVALID_OPTION` for anything that is not a {@link Prompt}
 */
export function encodePrompts(prompt: Prompt, tokenizer: () => ModelTokenizer): EncodedPrompts {
  if (typeof prompt === 'string') return { ids: [tokenizer().encode(prompt)], isList: false };
  if (isStringList(prompt)) return { ids: prompt.map((text) => tokenizer().encode(text)), isList: true };
  if (isRecord(prompt) && 'messages' in prompt) {
    return { ids: [tokenizer().encodeChat(prompt.messages, { addGenerationPrompt: true })], isList: false };
  }
  if (isRecord(prompt) && 'inputIds' in prompt) {
    const { inputIds } = prompt;
    if (isIdList(inputIds)) return { ids: [inputIds], isList: false };
    if (Array.isArray(inputIds) && inputIds.length > 0 && inputIds.every(isIdList))
      return { ids: inputIds, isList: true };
  }
  throw new CoreError(
    'INVALID_OPTION',
    'Expected a string, a non-empty list of strings, { messages } or { inputIds } as the prompt but received ' +
      (JSON.stringify(prompt) ?? 'undefined').slice(0, 100),
    { fields: { option: 'prompt' } },
  );
}

function isIdList(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((id) => typeof id === 'number');
}

function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((text) => typeof text === 'string');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
