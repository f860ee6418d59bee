// The index of a sharded checkpoint: which file holds which tensor. Pure; files are looked at elsewhere.

import { parseStrictJson, SafetensorsError } from 'safetensors-js';
import { CheckpointError, reasonOf } from './checkpoint-error.js';
import { isPlainFileName } from './folder-files.js';

/** Tensor name to file name, every file name plain: inside the folder of the index. */
export type WeightMap = ReadonlyMap<string, string>;

/**
 * Parses `*.safetensors.index.json` or `*.bin.index.json`, whose shards have the extension that its own name gives
 * them. `metadata` and other fields are not used.
 *
 * @example
 * parseIndex('{"weight_map":{"lm_head.weight":"model-1-of-2.safetensors"}}', 'model.safetensors.index.json');
 *
 * @throws CheckpointError `INVALID_INDEX`: not JSON, a name given twice, no weight_map, an empty one, a value that is
 *   not the plain name of a file of that extension.
 */
export function parseIndex(text: string, fileName: string): WeightMap {
  const weightMap = getMap(getMap(parse(text, fileName))?.get('weight_map'));
  if (weightMap === undefined) return fail(fileName, 'Expected an object "weight_map".');
  if (weightMap.size === 0) return fail(fileName, 'Expected "weight_map" to name at least one tensor.');
  const extension = fileName.endsWith('.bin.index.json') ? '.bin' : '.safetensors';
  for (const [tensor, file] of weightMap) {
    if (typeof file !== 'string' || !isPlainFileName(file) || !file.endsWith(extension)) {
      return fail(
        fileName,
        `Expected a ${extension} file of the same folder for tensor ${short(tensor)} but found ${short(file)}.`,
        { tensor, file },
      );
    }
  }
  return weightMap as WeightMap;
}

function parse(text: string, fileName: string): unknown {
  try {
    return parseStrictJson(text);
  } catch (cause) {
    if (cause instanceof SafetensorsError) return fail(fileName, reasonOf(cause), cause.fields, cause);
    throw cause;
  }
}

function getMap(value: unknown): ReadonlyMap<string, unknown> | undefined {
  return value instanceof Map ? (value as ReadonlyMap<string, unknown>) : undefined;
}

function short(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 120)) : `a value of type ${typeof value}`;
}

function fail(
  fileName: string,
  message: string,
  fields: Readonly<Record<string, unknown>> = {},
  cause?: unknown,
): never {
  throw new CheckpointError('INVALID_INDEX', `${fileName}: ${message}`, {
    fields: { ...fields, fileName },
    cause,
  });
}
