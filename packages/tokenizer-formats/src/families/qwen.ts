// Qwen 1. Source: tokenization_qwen.py (special tokens) and qwen_generation_utils.py (`make_context`) of
// Qwen/Qwen-7B-Chat.

import { specialToken } from '../added-tokens.js';
import { WORD_PATTERNS } from '../patterns.js';
import type { Family } from './family.js';

const EXTRA_TOKENS = 205;

export const qwen: Family = {
  name: 'Qwen',
  pattern: WORD_PATTERNS.qwen,
  normalizer: { type: 'NFC' },
  tokenizerClasses: ['QWenTokenizer'],
  modelTypes: ['qwen'],
  specialTokens: { eos_token: '<|endoftext|>', pad_token: '<|endoftext|>' },
  addedTokens: (vocabSize) => {
    const extra = Array.from({ length: EXTRA_TOKENS }, (_, i) => `<|extra_${i}|>`);
    return ['<|endoftext|>', '<|im_start|>', '<|im_end|>', ...extra].map((content, i) =>
      specialToken(vocabSize + i, content),
    );
  },
  turnEnds: ['<|im_end|>', '<|im_start|>'],
  chatTemplate: ({ generationConfig }) =>
    generationConfig['chat_format'] === 'raw'
      ? undefined
      : "{% if messages[0].role != 'system' %}" +
        "{{ '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{% endif %}" +
        '{% for message in messages %}' +
        "{{ '<|im_start|>' ~ message.role ~ '\\n' ~ message.content ~ '<|im_end|>' }}" +
        "{% if not loop.last or add_generation_prompt %}{{ '\\n' }}{% endif %}{% endfor %}" +
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
};
