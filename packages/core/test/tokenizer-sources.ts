// Tokenizers whose files lie in the shared data, each as a checkpoint folder of its own.

import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadTokenizer } from '../src/tokenizer/load-tokenizer.js';
import type { ModelTokenizer } from '../src/tokenizer/model-tokenizer.js';

export const SHARED_DATA =
  process.env['AIRLLM_SHARED_DATA'] ?? fileURLToPath(new URL('../../../../shared/data', import.meta.url));

/** File name → where its content lies under `tokenizers`, or the JSON content itself. */
export type TokenizerFiles = Readonly<Record<string, string | object>>;

const llama = { 'config.json': { model_type: 'llama' } };
const mistral = { 'config.json': { model_type: 'mistral' } };

const files = {
  'GPT-2 (tokenizer.json)': { 'tokenizer.json': 'gpt2/tokenizer.json' },
  'GPT-2': {
    'vocab.json': 'gpt2/vocab.json',
    'merges.txt': 'gpt2/merges.txt',
    'config.json': 'gpt2/config.json',
  },
  'Llama 2': { 'tokenizer.model': 'llama2/tokenizer.model', ...llama },
  'Llama 3': { 'tokenizer.model': 'llama3/tokenizer.model', ...llama },
  Qwen2: {
    'vocab.json': 'qwen2/vocab.json',
    'merges.txt': 'qwen2/merges.txt',
    'tokenizer_config.json': 'qwen2/tokenizer_config.json',
  },
  'Qwen 1': {
    'qwen.tiktoken': 'qwen1/qwen.tiktoken',
    'tokenizer_config.json': 'qwen1/tokenizer_config.json',
  },
  stories260K: { 'tokenizer.json': '../models/stories260k-hf-f32/tokenizer.json' },
  T5: { 'tokenizer.json': 't5-small/tokenizer.json' },
  'Mistral v1': { 'tokenizer.model': 'mistral/tokenizer.model.v1', ...mistral },
  'Mistral v2': { 'tokenizer.model': 'mistral/mistral_instruct_tokenizer_240216.model.v2', ...mistral },
  'Mistral v3': { 'tokenizer.model': 'mistral/mistral_instruct_tokenizer_240323.model.v3', ...mistral },
  'Mistral v7': { 'tokenizer.model': 'mistral/mistral_instruct_tokenizer_241114.model.v7', ...mistral },
  ChatGLM2: {
    'tokenizer.model': 'chatglm/tokenizer.model',
    'tokenizer_config.json': 'chatglm/tokenizer_config.json',
  },
  ChatGLM3: {
    'tokenizer.model': 'chatglm/tokenizer.model',
    'tokenizer_config.json': 'chatglm/chatglm3_tokenizer_config.json',
  },
} satisfies Record<string, TokenizerFiles>;

export type SharedTokenizerName = keyof typeof files;

/** What a tokenizer is made of, and whether all of it is there. */
export function sharedTokenizer(name: SharedTokenizerName): { files: TokenizerFiles; present: boolean } {
  const parts: TokenizerFiles = files[name];
  const present = Object.values(parts).every((part) => typeof part !== 'string' || existsSync(pathOf(part)));
  return { files: parts, present };
}

const opened = new Map<string, Promise<ModelTokenizer>>();

export function openSharedTokenizer(name: SharedTokenizerName): Promise<ModelTokenizer> {
  const tokenizer = opened.get(name) ?? openTokenizer(name, files[name]);
  opened.set(name, tokenizer);
  return tokenizer;
}

/** Lays the files out in a folder, loads the tokenizer and removes the folder. */
export async function openTokenizer(id: string, parts: TokenizerFiles): Promise<ModelTokenizer> {
  const folder = await mkdtemp(join(tmpdir(), 'airllm-tokenizer-'));
  const readText = async (name: string): Promise<string | undefined> =>
    existsSync(join(folder, name)) ? readFile(join(folder, name), 'utf8') : undefined;
  try {
    for (const [name, part] of Object.entries(parts)) {
      const path = join(folder, name);
      if (typeof part === 'string') await symlink(pathOf(part), path);
      else await writeFile(path, part instanceof Uint8Array ? part : JSON.stringify(part));
    }
    return await loadTokenizer({
      id,
      folder,
      readText,
      readJson: async (name) => {
        const text = await readText(name);
        return text === undefined ? undefined : (JSON.parse(text) as unknown);
      },
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

function pathOf(part: string): string {
  return join(SHARED_DATA, 'tokenizers', part);
}
