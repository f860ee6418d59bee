// The error for a checkpoint without a tokenizer that can be read: it says which other tokenizer files are there.

import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { CoreError } from '../errors.js';
import { VOCABULARY_FILES } from './tokenizer-files.js';

/** Formats that are recognised by name but not read. */
const OTHER_FORMATS = ['tekken.json', 'tiktoken.model', 'vocab.txt', 'vocab.json'];

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
  const lookedFor = ['tokenizer.json', ...VOCABULARY_FILES];
  const message =
    found.length === 0
      ? `Expected a tokenizer.json in ${id} but found no tokenizer file (looked for ${lookedFor.join(', ')}). ` +
        'Add the tokenizer files of the model, or pass token ids.'
      : `Expected one of ${lookedFor.join(', ')} in ${id} but found ${found.join(', ')}, which is not supported. ` +
        'Convert it (AutoTokenizer.from_pretrained(…).save_pretrained(…) in transformers), or pass token ids.';
  return new CoreError('MISSING_TOKENIZER', message, { fields: { id, found, lookedFor } });
}
