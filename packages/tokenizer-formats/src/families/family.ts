// What a family's own tokenizer code adds to its vocabulary file: special tokens, the prefix of every text, the
// chat format. One file of data per family, with its source named.

import type { AddedTokenJson, StepJson } from '../tokenizer-json.js';

/** What a family is recognized by, and what its rules may depend on. */
export interface FamilyHints {
  /** The name the checkpoint was opened by. */
  readonly id: string;
  /** tokenizer_config.json, config.json and generation_config.json, parsed; empty when absent. */
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
  readonly modelConfig: Readonly<Record<string, unknown>>;
  readonly generationConfig: Readonly<Record<string, unknown>>;
}

export interface Family {
  readonly name: string;
  /** `tokenizer_class` values. */
  readonly tokenizerClasses: readonly string[];
  /** `model_type` values, for checkpoints that name no tokenizer class. */
  readonly modelTypes: readonly string[];
  /** Tells families of one class apart. Default: always. */
  readonly matches?: (hints: FamilyHints) => boolean;
  /** Tokens of `bos_token`, `eos_token` … that the family's code sets. Default none. */
  readonly specialTokens?: Readonly<Record<string, string>>;
  /** How tiktoken and vocab.json families cut text into words: one of `WORD_PATTERNS`. */
  readonly pattern?: string;
  /** Unicode normalization of those families. Default none. */
  readonly normalizer?: StepJson;
  /** Follow the vocabulary; those that tokenizer_config.json declares win. Default none. */
  readonly addedTokens?: (vocabSize: number) => readonly AddedTokenJson[];
  /** True for declared tokens that the family has under another name. Default: none are. */
  readonly renames?: (content: string) => boolean;
  /** Tokens before every text, by name. Default: `bos_token` where `addBos` says. */
  readonly prefix?: readonly string[];
  /** Whether BOS comes before every text where `add_bos_token` does not say. Default false. */
  readonly addBos?: boolean;
  /** Tokens that end a turn of the chat format, beside `eos_token`. Default none. */
  readonly turnEnds?: readonly string[];
  /** Jinja source for checkpoints without one; undefined: the checkpoint is no chat model. */
  readonly chatTemplate?: (
    hints: FamilyHints,
    tokenOf: (id: number) => string | undefined,
  ) => string | undefined;
  /** Makes a checkpoint's own chat template fit the token names used here. Default: as it is. */
  readonly adaptTemplate?: (source: string) => string;
}
