// Reading an index: bounded, then parsed.

import { CheckpointError } from './checkpoint-error.js';
import { MAX_INDEX_BYTES, readFolderText } from './folder-files.js';
import { parseIndex, type WeightMap } from './parse-index.js';

/** The index of a folder, parsed. */
export async function readIndex(folder: string, fileName: string): Promise<WeightMap> {
  const text = await readFolderText(folder, fileName, MAX_INDEX_BYTES);
  if (text === undefined) {
    throw new CheckpointError('NO_WEIGHTS', `Expected ${fileName} in ${folder}.`, { fields: { folder } });
  }
  return parseIndex(text, fileName);
}
