// ChatGLM2, ChatGLM3 (SentencePiece) and GLM-4 (tiktoken). Source: tokenization_chatglm.py of
// THUDM/chatglm2-6b, THUDM/chatglm3-6b and THUDM/glm-4-9b-chat.

import { specialToken } from '../added-tokens.js';
import { WORD_PATTERNS } from '../patterns.js';
import type { Family, FamilyHints } from './family.js';

/**
 * Follow the vocabulary in this order. The family's code calls two of them `sop` and `eop` and never looks for
 * them in a text; here the names are found in texts, so they must not be parts of words.
 */
const FRAME_TOKENS = ['[MASK]', '[gMASK]', '[sMASK]', '<sop>', '<eop>'];
const ROLE_TOKENS = ['<|system|>', '<|user|>', '<|assistant|>', '<|observation|>'];

const common = {
  tokenizerClasses: ['ChatGLMTokenizer'],
  modelTypes: ['chatglm'],
  prefix: ['[gMASK]', '<sop>'],
  specialTokens: { eos_token: '</s>', unk_token: '<unk>', pad_token: '<unk>' },
  renames: (content: string): boolean => content === 'sop' || content === 'eop',
  adaptTemplate: (source: string): string => source.replaceAll('[gMASK]sop', '[gMASK]<sop>'),
};

export const chatglm3: Family = {
  ...common,
  name: 'ChatGLM3',
  matches: isChatglm3,
  addedTokens: (vocabSize) =>
    [...FRAME_TOKENS, ...ROLE_TOKENS].map((content, i) => specialToken(vocabSize + i, content)),
  turnEnds: ['<|user|>', '<|observation|>'],
  // build_single_message encodes "{metadata}\n" and the content one after the other: each gets its prefix space.
  chatTemplate: () =>
    '[gMASK]<sop>{% for message in messages %}<|{{ message.role }}|>{{ message.metadata }}\n' +
    " {{ message.content }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}",
};

export const chatglm2: Family = {
  ...common,
  name: 'ChatGLM2',
  addedTokens: (vocabSize) => FRAME_TOKENS.map((content, i) => specialToken(vocabSize + i, content)),
  // build_prompt knows questions and answers only; a round is one of each.
  chatTemplate: () =>
    '[gMASK]<sop>{% set ns = namespace(round=0) %}{% for message in messages %}' +
    "{% if message.role == 'user' %}{% set ns.round = ns.round + 1 %}" +
    "{{ '[Round ' ~ ns.round ~ ']\\n\\n问：' ~ message.content ~ '\\n\\n答：' }}" +
    "{% elif message.role == 'assistant' %}{{ message.content ~ '\\n\\n' }}" +
    "{% else %}{{ raise_exception('ChatGLM2 takes the roles user and assistant only') }}{% endif %}{% endfor %}",
};

/** GLM-4 names its special tokens in tokenizer_config.json, and has its template there. */
export const glm4: Family = {
  ...common,
  name: 'GLM-4',
  pattern: WORD_PATTERNS.llama3,
  tokenizerClasses: ['ChatGLM4Tokenizer', 'ChatGLMTokenizer'],
  specialTokens: { eos_token: '<|endoftext|>', pad_token: '<|endoftext|>' },
  turnEnds: ['<|user|>', '<|observation|>'],
};

/** Both generations have one tokenizer class and one configuration; only names and role tokens differ. */
function isChatglm3({ id, tokenizerConfig, modelConfig }: FamilyHints): boolean {
  const names = [id, tokenizerConfig['name_or_path'], modelConfig['_name_or_path']];
  return (
    names.some((name) => typeof name === 'string' && /chatglm3/i.test(name)) ||
    JSON.stringify(tokenizerConfig).includes('<|user|>')
  );
}
