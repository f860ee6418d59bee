// What makes a folder of shards a checkpoint of its own: config, tokenizer and chat template of the source, and the index
// that says which shard holds which tensor.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readHeader } from 'safetensors-js';
import { reasonOf, ShardError } from '../errors.js';
import type { ShardFile } from '../manifest.js';
import { writeFileDurably } from './durable-file.js';

const INDEX_NAME = 'model.safetensors.index.json';

export async function copySmallFiles(names: readonly string[], from: string, to: string): Promise<void> {
  for (const name of names) await writeFileDurably(join(to, name), await readSmallFile(join(from, name)));
}

async function readSmallFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new ShardError('READ_FAILED', `Could not read ${path}: ${reasonOf(cause)}.`, {
      fields: { path },
      cause,
    });
  }
}

/** Written from the headers of the shards themselves. */
export async function writeIndex(files: readonly ShardFile[], folder: string): Promise<void> {
  const weightMap: [string, string][] = [];
  let totalBytes = 0;
  for (const { name: file } of files) {
    for (const { name, byteLength } of (await readHeader(join(folder, file))).tensors.values()) {
      weightMap.push([name, file]);
      totalBytes += byteLength;
    }
  }
  // Joined by hand: an object would lose a tensor named `__proto__` and reorder numeric names.
  const entries = weightMap.map(([tensor, file]) => `    ${JSON.stringify(tensor)}: ${JSON.stringify(file)}`);
  const text = `{\n  "metadata": { "total_size": ${totalBytes} },\n  "weight_map": {\n${entries.join(',\n')}\n  }\n}\n`;
  await writeFileDurably(join(folder, INDEX_NAME), text);
}
