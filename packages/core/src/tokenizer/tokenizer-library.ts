// What is used of @huggingface/tokenizers. Its own declarations do not resolve under Node's module rules (imports
// without file extensions), so they would silently be `any`.

import * as library from '@huggingface/tokenizers';

export interface LibraryTokenizer {
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
