// A folder on disk as a checkpoint: its config, its tensors, its other files by name.

import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CheckpointError, reasonOf } from './checkpoint-error.js';
import type { Checkpoint } from './checkpoint.js';
import { findWeights } from './find-weights.js';
import { MAX_CONFIG_BYTES, readFolderJson, readFolderText } from './folder-files.js';
import { readTensors } from './read-tensors.js';

/**
 * Opens `folder` (absolute). Nothing is kept open: a checkpoint needs no closing.
 *
 * @throws CheckpointError, see its local codes.
 */
export async function openFolder(id: string, folder: string, signal?: AbortSignal): Promise<Checkpoint> {
  const fileNames = await listFiles(folder);
  const weights = await findWeights(folder, fileNames);
  // AirLLM leaves config and tokenizer in the folder above its shards.
  const home =
    weights.kind === 'split' && !fileNames.includes('config.json') ? dirname(weights.folder) : folder;
  const config = await readConfig(home);
  const tensors = await readTensors(weights, signal);
  return { id, ...localFiles(home), config, tensors };
}

/** A folder and its small files. */
export function localFiles(folder: string): LocalFiles {
  return {
    folder,
    readJson: (fileName) => readFolderJson(folder, fileName),
    readText: (fileName) => readFolderText(folder, fileName),
  };
}

export type LocalFiles = Pick<Checkpoint, 'folder' | 'readJson' | 'readText'>;

async function listFiles(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (cause) {
    throw new CheckpointError('READ_FAILED', `Could not list ${folder}: ${reasonOf(cause)}.`, {
      fields: { folder },
      cause,
    });
  }
}

async function readConfig(folder: string): Promise<Record<string, unknown>> {
  const config = await readFolderJson(folder, 'config.json', MAX_CONFIG_BYTES);
  if (config === undefined) {
    throw new CheckpointError(
      'CONFIG_MISSING',
      `Expected config.json in ${folder}. Is this the folder of a Hugging Face checkpoint?`,
      { fields: { folder } },
    );
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new CheckpointError('INVALID_JSON', `Expected config.json in ${folder} to hold an object.`, {
      fields: { folder },
    });
  }
  return config as Record<string, unknown>;
}
