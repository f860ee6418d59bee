// Where a checkpoint keeps its chat templates. Reading only; rendering is in chat-template.ts.

import { CoreError } from '../errors.js';

/** The files of a checkpoint folder, by name; undefined when there is no such file. */
export interface CheckpointFiles {
  readJson(fileName: string): Promise<unknown>;
  readText(fileName: string): Promise<string | undefined>;
}

/** Jinja sources by name. A checkpoint with one template has it under `default`. */
export type ChatTemplateSources = ReadonlyMap<string, string>;

/**
 * Looks, as transformers does, in chat_template.jinja, then chat_template.json, then the `chat_template` of
 * tokenizer_config.json (a string, or a list of `{ name, template }`). Empty when there is none.
 *
 * @throws {@link CoreError} `INVALID_CHAT` when a file holds something else
 */
export async function readChatTemplates(
  files: CheckpointFiles,
  tokenizerConfig: Readonly<Record<string, unknown>>,
): Promise<ChatTemplateSources> {
  const text = await files.readText('chat_template.jinja');
  if (text !== undefined) return new Map([['default', text]]);
  const json = await files.readJson('chat_template.json');
  if (json !== undefined) {
    const stored =
      typeof json === 'object' && json !== null && 'chat_template' in json ? json.chat_template : json;
    return parseSources(stored, 'chat_template.json');
  }
  const stored = tokenizerConfig['chat_template'] ?? undefined;
  return stored === undefined ? new Map() : parseSources(stored, 'tokenizer_config.json');
}

function parseSources(stored: unknown, fileName: string): ChatTemplateSources {
  if (typeof stored === 'string') return new Map([['default', stored]]);
  const entries: unknown[] = Array.isArray(stored) ? stored : [stored];
  return new Map(
    entries.map((entry): [string, string] => {
      if (typeof entry === 'object' && entry !== null && 'name' in entry && 'template' in entry) {
        const { name, template } = entry;
        if (typeof name === 'string' && typeof template === 'string') return [name, template];
      }
      throw new CoreError(
        'INVALID_CHAT',
        `Expected chat_template in ${fileName} to be a string or a list of { name, template } but found ` +
          `${Array.isArray(stored) ? 'another kind of list' : typeof stored}.`,
        { fields: { fileName } },
      );
    }),
  );
}
