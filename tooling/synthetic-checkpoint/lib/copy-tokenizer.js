// Copies what a tokenizer consists of from one checkpoint folder to another.

import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const TOKENIZER_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'vocab.json',
  'merges.txt',
];

export async function copyTokenizer(from, to) {
  const present = new Set(await readdir(from));
  if (!present.has('tokenizer.json')) {
    throw new Error(`Expected tokenizer.json in ${from} but found ${[...present].slice(0, 5).join(', ')}`);
  }
  for (const file of TOKENIZER_FILES) {
    if (present.has(file)) await copyFile(join(from, file), join(to, file));
  }
}
