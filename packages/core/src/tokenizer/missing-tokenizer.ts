// The error for a checkpoint without a tokenizer.json: it says which other tokenizer files are there.

import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { CoreError } from '../errors.js';

/** Formats that are recognised by name but not read yet. */
const OTHER_FORMATS = [
  'tokenizer.model',
  'spiece.model',
  'tiktoken.model',
  'qwen.tiktoken',
  'vocab.json',
  'vocab.txt',
];

/** @param folder of the checkpoint; without one the other formats are not looked for */
export async function missingTokenizer(id: string, folder: string | undefined): Promise<CoreError> {
  const found: string[] = [];
  for (const fileName of folder === undefined ? [] : OTHER_FORMATS) {
    const exists = await access(join(folder ?? '', fileName)).then(
      () => true,
      () => false,
    );
    if (exists) found.push(fileName);
  }
  const lookedFor = ['tokenizer.json', ...OTHER_FORMATS];
  const message =
    found.length === 0
      ? `Expected a tokenizer.json in ${id} but found no tokenizer file (looked for ${lookedFor.join(', ')}). ` +
        'Add the tokenizer files of the model, or pass token ids.'
      : `Expected a tokenizer.json in ${id} but found ${found.join(', ')}, which is not supported yet. ` +
        'Convert it (AutoTokenizer.from_pretrained(…).save_pretrained(…) in transformers), or pass token ids.';
  return new CoreError('MISSING_TOKENIZER', message, { fields: { id, found, lookedFor } });
}
