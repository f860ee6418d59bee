// A checkpoint: the tensors of a Hugging Face model folder by name, each as a byte range of a file.
// Nothing is read here but headers and JSON.

/** Where one tensor lies. */
export interface StoredTensor {
  readonly name: string;
  /** As the file names it: `BF16`, `F16`, `F32`, `F8_E4M3` … */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Absolute path of the file. */
  readonly path: string;
  /** Absolute byte offset in the file. */
  readonly byteOffset: number;
  readonly byteLength: number;
}

export interface Checkpoint {
  /** The name it was opened by. */
  readonly id: string;
  /** Absolute path of the folder that holds its files. */
  readonly folder: string;
  /** config.json, parsed; always an object. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** A JSON file of the folder (tokenizer.json …), or undefined when there is none. */
  readJson(fileName: string): Promise<unknown>;
  /** A text file of the folder (chat_template.jinja …), or undefined when there is none. */
  readText(fileName: string): Promise<string | undefined>;
}
