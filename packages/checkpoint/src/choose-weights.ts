// Which of a folder's files hold the weights, from their names alone. The same choice is made for a local
// folder and for the file list of a hub repository.

import { CheckpointError } from './checkpoint-error.js';

/** One file with all tensors, or an index that says which shard holds which. */
export type WeightFiles = { readonly kind: 'single' | 'index'; readonly file: string };

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const OTHER_FORMATS = /\.(bin|pth|pt|gguf|npz|h5|msgpack|onnx)(\.index\.json)?$/;
const MAX_NAMES_SHOWN = 5;

/**
 * The order of transformers: `model.safetensors`, then its index, then the one index of another name
 * (`model.fp16.safetensors.index.json`).
 *
 * @throws CheckpointError `NOT_YET` when there are only weights of another format, `AMBIGUOUS_WEIGHTS`, `NO_WEIGHTS`.
 */
export function chooseWeights(fileNames: readonly string[], where: string): WeightFiles {
  if (fileNames.includes(SINGLE)) return { kind: 'single', file: SINGLE };
  if (fileNames.includes(INDEX)) return { kind: 'index', file: INDEX };

  const [index, ...more] = fileNames.filter((name) => name.endsWith('.safetensors.index.json'));
  if (index !== undefined && more.length === 0) return { kind: 'index', file: index };
  if (index !== undefined) {
    throw new CheckpointError(
      'AMBIGUOUS_WEIGHTS',
      `Expected one safetensors index in ${where} but found ${show([index, ...more])}. Rename one to ${INDEX}.`,
      { fields: { files: [index, ...more] } },
    );
  }
  const shards = fileNames.filter((name) => name.endsWith('.safetensors'));
  const other = fileNames.filter((name) => OTHER_FORMATS.test(name));
  if (other.length > 0) {
    throw new CheckpointError(
      'NOT_YET',
      `Expected safetensors weights in ${where} but found ${show(other)}. This format is not read yet: ` +
        'convert the checkpoint with transformers (save_pretrained with safe_serialization=True).',
      { fields: { files: other } },
    );
  }
  throw new CheckpointError(
    'NO_WEIGHTS',
    `Expected ${SINGLE} or ${INDEX} in ${where} but found ${shards.length > 0 ? show(shards) : 'neither'}.`,
    { fields: { files: shards } },
  );
}

function show(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES_SHOWN).join(', ');
  return names.length > MAX_NAMES_SHOWN ? `${shown} and ${names.length - MAX_NAMES_SHOWN} more` : shown;
}
