// Families with vocab.json and merges.txt. Source: transformers (tokenization_gpt2.py, tokenization_qwen2.py).

import { WORD_PATTERNS } from '../patterns.js';
import type { Family } from './family.js';

export const gpt2: Family = {
  name: 'GPT-2',
  pattern: WORD_PATTERNS.gpt2,
  tokenizerClasses: ['GPT2Tokenizer', 'CodeGenTokenizer'],
  modelTypes: ['gpt2', 'gptj', 'gpt_neo', 'gpt_bigcode', 'starcoder2', 'codegen'],
  specialTokens: { bos_token: '<|endoftext|>', eos_token: '<|endoftext|>', unk_token: '<|endoftext|>' },
};

export const qwen2: Family = {
  name: 'Qwen2',
  pattern: WORD_PATTERNS.qwen,
  normalizer: { type: 'NFC' },
  tokenizerClasses: ['Qwen2Tokenizer'],
  modelTypes: ['qwen2', 'qwen2_moe', 'qwen3', 'qwen3_moe'],
  specialTokens: { eos_token: '<|endoftext|>', pad_token: '<|endoftext|>' },
};
