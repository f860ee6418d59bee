// Which of a folder's files hold the weights, from their names alone. The same choice is made for a local
// folder and for the file list of a hub repository.

import { CheckpointError } from './checkpoint-error.js';

export type WeightFormat = 'safetensors' | 'torch';

/** One file with all tensors, or an index that says which shard holds which. */
export interface WeightFiles {
  readonly format: WeightFormat;
  readonly kind: 'single' | 'index';
  readonly file: string;
}

interface Names {
  readonly single: string;
  readonly index: string;
  readonly indexSuffix: string;
}

const SAFETENSORS: Names = {
  single: 'model.safetensors',
  index: 'model.safetensors.index.json',
  indexSuffix: '.safetensors.index.json',
};
const TORCH: Names = {
  single: 'pytorch_model.bin',
  index: 'pytorch_model.bin.index.json',
  indexSuffix: '.bin.index.json',
};
const TORCH_FILE = /\.(bin|pt|pth)$/;
/** What trainers of transformers and accelerate leave beside the weights. */
const TRAINER_FILE = /^(training_args|optimizer|scheduler|scaler|rng_state|random_states)/;
const OTHER_FORMATS = /\.(gguf|npz|h5|msgpack|onnx)(\.index\.json)?$/;
const MAX_NAMES_SHOWN = 5;

/**
 * The order of transformers: `model.safetensors`, then its index, then the one index of another name
 * (`model.fp16.safetensors.index.json`); without those the same for `pytorch_model.bin`, then the one `.bin`, `.pt` or
 * `.pth` file that is no state of a trainer.
 *
 * @throws CheckpointError `NOT_YET` when there are only weights of another format, `AMBIGUOUS_WEIGHTS`, `NO_WEIGHTS`.
 */
export function chooseWeights(fileNames: readonly string[], where: string): WeightFiles {
  const safetensors = chooseByName(fileNames, SAFETENSORS, where);
  if (safetensors !== undefined) return { format: 'safetensors', ...safetensors };
  const torch = chooseByName(fileNames, TORCH, where) ?? chooseLoneTorchFile(fileNames, where);
  if (torch !== undefined) return { format: 'torch', ...torch };

  const shards = fileNames.filter((name) => name.endsWith('.safetensors'));
  const other = fileNames.filter((name) => OTHER_FORMATS.test(name));
  if (other.length > 0) {
    throw new CheckpointError(
      'NOT_YET',
      `Expected safetensors or torch weights in ${where} but found ${show(other)}. This format is not read yet: ` +
        'convert the checkpoint with transformers (save_pretrained with safe_serialization=True).',
      { fields: { files: other } },
    );
  }
  throw new CheckpointError(
    'NO_WEIGHTS',
    `Expected ${SAFETENSORS.single}, ${SAFETENSORS.index} or ${TORCH.single} in ${where} but found ` +
      `${shards.length > 0 ? show(shards) : 'none of them'}.`,
    { fields: { files: shards } },
  );
}

type Choice = Omit<WeightFiles, 'format'>;

function chooseByName(fileNames: readonly string[], names: Names, where: string): Choice | undefined {
  if (fileNames.includes(names.single)) return { kind: 'single', file: names.single };
  if (fileNames.includes(names.index)) return { kind: 'index', file: names.index };
  const [index, ...more] = fileNames.filter((name) => name.endsWith(names.indexSuffix));
  if (index === undefined) return undefined;
  if (more.length === 0) return { kind: 'index', file: index };
  throw new CheckpointError(
    'AMBIGUOUS_WEIGHTS',
    `Expected one index *${names.indexSuffix} in ${where} but found ${show([index, ...more])}. Rename one to ${names.index}.`,
    { fields: { files: [index, ...more] } },
  );
}

function chooseLoneTorchFile(fileNames: readonly string[], where: string): Choice | undefined {
  const [file, ...more] = fileNames.filter((name) => TORCH_FILE.test(name) && !TRAINER_FILE.test(name));
  if (file === undefined) return undefined;
  if (more.length === 0) return { kind: 'single', file };
  throw new CheckpointError(
    'AMBIGUOUS_WEIGHTS',
    `Expected ${TORCH.index} in ${where}, which says what is in ${show([file, ...more])}, but it is not there.`,
    { fields: { files: [file, ...more] } },
  );
}

function show(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES_SHOWN).join(', ');
  return names.length > MAX_NAMES_SHOWN ? `${shown} and ${names.length - MAX_NAMES_SHOWN} more` : shown;
}
