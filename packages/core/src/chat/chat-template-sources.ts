// Where a checkpoint keeps its chat templates. Reading only; rendering is in chat-template.ts.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CoreError } from '../errors.js';

/** The files of a checkpoint folder, by name; undefined when there is no such file. */
export interface CheckpointFiles {
  /** Without one, additional_chat_templates is not looked for. */
  readonly folder?: string;
  readJson(fileName: string): Promise<unknown>;
  readText(fileName: string): Promise<string | undefined>;
}

/** Jinja sources by name. A checkpoint with one template has it under `default`. */
export type ChatTemplateSources = ReadonlyMap<string, string>;

const ADDITIONAL_FOLDER = 'additional_chat_templates';
const MAX_ADDITIONAL_TEMPLATES = 64;
const MAX_TEMPLATE_BYTES = 2 ** 20;

/**
 * Looks, as transformers does, in chat_template.jinja, then chat_template.json, then the `chat_template` of
 * tokenizer_config.json (a string, or a list of `{ name, template }`); named templates of
 * additional_chat_templates/<name>.jinja come on top. Empty when there is none.
 *
 * @throws {@link CoreError} `INVALID_CHAT` when a file holds something else
 */
export async function readChatTemplates(
  files: CheckpointFiles,
  tokenizerConfig: Readonly<Record<string, unknown>>,
): Promise<ChatTemplateSources> {
  const main = await readMainTemplates(files, tokenizerConfig);
  return new Map([...main, ...(await readAdditionalTemplates(files.folder))]);
}

async function readAdditionalTemplates(folder: string | undefined): Promise<[string, string][]> {
  if (folder === undefined) return [];
  const path = join(folder, ADDITIONAL_FOLDER);
  const names = await readdir(path).catch((): string[] => []);
  const templates = names.filter((name) => name.endsWith('.jinja')).sort();
  if (templates.length > MAX_ADDITIONAL_TEMPLATES) {
    throw invalid(ADDITIONAL_FOLDER, `at most ${MAX_ADDITIONAL_TEMPLATES} templates`, `${templates.length}`);
  }
  return Promise.all(
    templates.map(async (name): Promise<[string, string]> => {
      const { size } = await stat(join(path, name));
      if (size > MAX_TEMPLATE_BYTES) {
        throw invalid(`${ADDITIONAL_FOLDER}/${name}`, `at most ${MAX_TEMPLATE_BYTES} bytes`, `${size}`);
      }
      return [name.slice(0, -'.jinja'.length), await readFile(join(path, name), 'utf8')];
    }),
  );
}

async function readMainTemplates(
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
      throw invalid(
        fileName,
        'chat_template as a string or a list of { name, template }',
        Array.isArray(stored) ? 'another kind of list' : typeof stored,
      );
    }),
  );
}

function invalid(fileName: string, expected: string, found: string): CoreError {
  return new CoreError('INVALID_CHAT', `Expected ${expected} in ${fileName} but found ${found}.`, {
    fields: { fileName },
  });
}
