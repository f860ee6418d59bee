// The parts of a tokenizer.json object that the converters of this package write. Its reader is
// @huggingface/tokenizers (and the Rust library of the same name).

export interface AddedTokenJson {
  readonly id: number;
  readonly content: string;
  /** A mark and no text: left out when decoding. */
  readonly special: boolean;
  readonly normalized: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly single_word: boolean;
}

/** A step of the pipeline: its `type` and the options of that type. */
export interface StepJson {
  readonly type: string;
  readonly [option: string]: unknown;
}

export interface BpeJson {
  readonly type: 'BPE';
  readonly vocab: Readonly<Record<string, number>>;
  /** In order of priority. */
  readonly merges: readonly (readonly [string, string])[];
  readonly unk_token: string | null;
  readonly fuse_unk: boolean;
  readonly byte_fallback: boolean;
  readonly ignore_merges: boolean;
}

export interface UnigramJson {
  readonly type: 'Unigram';
  /** Token and log probability, by id. */
  readonly vocab: readonly (readonly [string, number])[];
  readonly unk_id: number | null;
  readonly byte_fallback: boolean;
}

export interface TokenizerJson {
  readonly version: '1.0';
  readonly truncation: null;
  readonly padding: null;
  readonly added_tokens: readonly AddedTokenJson[];
  readonly normalizer: StepJson | null;
  readonly pre_tokenizer: StepJson | null;
  readonly post_processor: StepJson | null;
  readonly decoder: StepJson | null;
  readonly model: BpeJson | UnigramJson;
}

/** Several steps as one; a single one stays as it is. */
export function sequence(
  key: 'normalizers' | 'pretokenizers' | 'decoders',
  steps: readonly StepJson[],
): StepJson | null {
  const [first, ...others] = steps;
  if (first === undefined) return null;
  return others.length === 0 ? first : { type: 'Sequence', [key]: steps };
}
