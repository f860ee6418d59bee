// What is used of @huggingface/tokenizers. Its own declarations do not resolve under Node's module rules (imports
// without file extensions), so they would silently be `any`.

import * as library from '@huggingface/tokenizers';

/** A normalizer or decoder; a Sequence holds others. */
export interface PipelineStep {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly normalizers?: readonly (PipelineStep | null)[];
  readonly decoders?: readonly (PipelineStep | null)[];
  normalize?: (text: string) => string;
  text_decoder?: { decode(bytes: Uint8Array): string };
}

export interface LibraryTokenizer {
  readonly normalizer: PipelineStep | null;
  readonly decoder: PipelineStep | null;
  readonly model: {
    readonly tokens_to_ids: ReadonlyMap<string, number>;
    /** Of a Unigram model: log probabilities by id. */
    readonly scores?: number[];
    /** Words to tokens. */
    encode(words: string[]): string[];
  };
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
  /** @param ids at least one, all of the vocabulary */
  decode(ids: number[], options: { clean_up_tokenization_spaces: boolean }): string;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
  get_added_tokens_decoder(): Map<number, { readonly special: boolean }>;
}

interface TokenizersLibrary {
  Tokenizer: new (tokenizerJson: object, tokenizerConfig: object) => LibraryTokenizer;
}

export const { Tokenizer } = library as unknown as TokenizersLibrary;
