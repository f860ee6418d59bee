export type SyntheticFamily = 'llama' | 'qwen3' | 'mixtral';

/** Sizes in the terms of config.json. */
export interface SyntheticShape {
  /** Default `llama`. */
  readonly family?: SyntheticFamily;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  /** Divides `heads`. */
  readonly kvHeads: number;
  /** Even. Default hiddenSize / heads. */
  readonly headDim?: number;
  /** Width of the MLP, or of one expert. */
  readonly intermediateSize: number;
  readonly vocabSize: number;
  /** Mixtral only, and required there. */
  readonly experts?: number;
  /** Experts per token; mixtral only. Default 2. */
  readonly topK?: number;
  /** The output projection is the embedding matrix. Default false. */
  readonly tied?: boolean;
  /** A positive integer that multiplies the embedding: well above √hiddenSize tokens stay apart through the layers. Default 1. */
  readonly embeddingScale?: number;
}

export interface SyntheticCheckpointOptions extends SyntheticShape {
  readonly dtype: 'bf16' | 'f16' | 'f32';
  /** An unsigned 32-bit integer; the same seed and options give the same bytes. */
  readonly seed: number;
  /** A shard is closed before it would grow past this. Default 1e9. */
  readonly shardBytes?: number;
  /** Folder whose tokenizer files are copied. Default: no tokenizer. */
  readonly tokenizerFrom?: string;
}

export interface SyntheticCheckpoint {
  /** Bytes of all tensors, headers excluded. */
  readonly weightBytes: number;
  readonly parameters: number;
  /** Names of the safetensors files. */
  readonly files: readonly string[];
}

/**
 * Writes a Hugging Face checkpoint with random weights into `folder`, which must be empty or absent. Memory stays at a
 * few blocks of 2^20 values whatever the size. config.json is written last: where it is, the checkpoint is complete.
 *
 * Matrices are normal with standard deviation 1 / sqrt(columns) and norms are 1, so activations keep their
 * size through any number of layers.
 *
 * @example
 * await writeSyntheticCheckpoint('out', { ...PRESETS['2GB'], dtype: 'bf16', seed: 1 });
 *
 * @throws RangeError for sizes that do not fit together; Error when the folder is not empty or holds no tokenizer;
 *   SafetensorsError `WRITE_FAILED`
 */
export declare function writeSyntheticCheckpoint(
  folder: string,
  options: SyntheticCheckpointOptions,
): Promise<SyntheticCheckpoint>;

/** Shapes whose bf16 checkpoints have about the size in their name, in decimal units. */
export declare const PRESETS: Readonly<
  Record<
    | '120MB'
    | '500MB'
    | '2GB'
    | '3GB'
    | '5GB'
    | 'mixtral-2GB'
    | 'mixtral-6GB'
    | 'mixtral-apart-6GB'
    | '405B-21GB',
    SyntheticShape
  >
>;

/**
 * Writes the weights of a bf16 Llama or Mixtral checkpoint as one GGUF file of the llama architecture: matrices in
 * `type`, norms and routers in f32, a vocabulary of numbered words. The file appears under its name when it is complete.
 *
 * @throws RangeError for another type, tensors of another family or dtype, or rows that are no whole blocks
 */
export declare function writeGguf(
  folder: string,
  path: string,
  options: { readonly type: 'bf16' | 'q8_0' },
): Promise<{ readonly tensors: number; readonly bytes: number }>;

/** Names and shapes of a model's tensors as transformers saves them: embedding, layers, final norm, head. */
export declare function listTensors(
  shape: SyntheticShape,
): readonly { readonly name: string; readonly shape: readonly number[] }[];
