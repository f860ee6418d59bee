// Llama, Mistral, Gemma and their kin: plain SentencePiece vocabularies, and the tiktoken file of Llama 3.
// Sources: transformers (tokenization_llama.py, tokenization_gemma.py), llama3/tokenizer.py of
// meta-llama/llama-models.

import { specialToken } from '../added-tokens.js';
import { WORD_PATTERNS } from '../patterns.js';
import type { Family } from './family.js';

const LLAMA3_SPECIAL_TOKENS = 256;

/** Names of Llama 3.1 and later; Llama 3 has reserved ones in place of the last three. */
const LLAMA3_NAMES: Readonly<Record<number, string>> = {
  0: '<|begin_of_text|>',
  1: '<|end_of_text|>',
  4: '<|finetune_right_pad_id|>',
  5: '<|step_id|>',
  6: '<|start_header_id|>',
  7: '<|end_header_id|>',
  8: '<|eom_id|>',
  9: '<|eot_id|>',
  10: '<|python_tag|>',
};

/** With SentencePiece. */
export const llama: Family = {
  name: 'Llama',
  tokenizerClasses: [
    'LlamaTokenizer',
    'CodeLlamaTokenizer',
    'GemmaTokenizer',
    'Phi3Tokenizer',
    'PreTrainedTokenizerFast',
    'TokenizersBackend',
  ],
  modelTypes: ['llama', 'mistral', 'mixtral', 'gemma', 'gemma2', 'gemma3', 'gemma3_text', 'phi3'],
  addBos: true,
};

/** With tiktoken ranks. */
export const llama3: Family = {
  name: 'Llama 3',
  pattern: WORD_PATTERNS.llama3,
  tokenizerClasses: ['PreTrainedTokenizerFast', 'LlamaTokenizer', 'TokenizersBackend'],
  modelTypes: ['llama', 'mllama'],
  addBos: true,
  specialTokens: { bos_token: '<|begin_of_text|>', eos_token: '<|end_of_text|>' },
  addedTokens: (vocabSize) => {
    let reserved = 0;
    return Array.from({ length: LLAMA3_SPECIAL_TOKENS }, (_, i) =>
      specialToken(vocabSize + i, LLAMA3_NAMES[i] ?? `<|reserved_special_token_${reserved++}|>`),
    );
  },
  turnEnds: ['<|eot_id|>', '<|eom_id|>'],
  // encode_header, encode_message and encode_dialog_prompt of llama3/chat_format.py
  chatTemplate: () =>
    '{{ bos_token }}{% for message in messages %}' +
    "{{ '<|start_header_id|>' ~ message.role ~ '<|end_header_id|>\\n\\n' ~ message.content.strip() ~ '<|eot_id|>' }}" +
    "{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}",
};
