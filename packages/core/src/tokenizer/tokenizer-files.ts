// Where a checkpoint keeps its vocabulary when it has no tokenizer.json. Reading only; @airllm/tokenizer-formats
// makes sense of the bytes.

import type { VocabularyFiles } from '@airllm/tokenizer-formats';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { CoreError } from '../errors.js';

/** Files that hold a whole vocabulary, in the order they are looked for. */
const MODEL_FILES = ['tokenizer.model', 'qwen.tiktoken', 'spiece.model'];

/** All that can be read, for messages. */
export const VOCABULARY_FILES = [...MODEL_FILES, 'vocab.json + merges.txt'];

export interface VocabularySource {
  readonly id: string;
  /** Without one only vocab.json and merges.txt are looked for. */
  readonly folder?: string;
  readJson(fileName: string): Promise<unknown>;
  readText(fileName: string): Promise<string | undefined>;
}

/**
 * The first vocabulary there is, or undefined.
 *
 * @throws {@link CoreError} `INVALID_TOKENIZER` for a file that is too large to be one
 */
export async function readVocabulary(source: VocabularySource): Promise<VocabularyFiles | undefined> {
  for (const fileName of source.folder === undefined ? [] : MODEL_FILES) {
    const model = await readBytes(join(source.folder ?? '', fileName), source.id);
    if (model !== undefined) return { model };
  }
  const merges = await source.readText('merges.txt');
  const vocab = merges === undefined ? undefined : await source.readJson('vocab.json');
  return merges === undefined || vocab === undefined ? undefined : { vocab, merges };
}

async function readBytes(path: string, id: string): Promise<Uint8Array | undefined> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const stats = await file.stat();
    const { size } = stats;
    if (!stats.isFile()) return undefined;
    const { MAX_FILE_BYTES } = await import('@airllm/tokenizer-formats');
    if (size <= MAX_FILE_BYTES) return await file.readFile();
    throw new CoreError(
      'INVALID_TOKENIZER',
      `Expected a tokenizer of at most ${MAX_FILE_BYTES} bytes in ${id} but ${path} has ${size}.`,
      { fields: { id, path, size } },
    );
  } finally {
    await file.close();
  }
}
