// InternLM and InternLM 2. Source: `build_inputs` of modeling_internlm.py (internlm/internlm-chat-7b) and
// modeling_internlm2.py (internlm/internlm2-chat-7b).

import type { Family } from './family.js';

export const internlm: Family = {
  name: 'InternLM',
  tokenizerClasses: ['InternLMTokenizer'],
  modelTypes: ['internlm'],
  addBos: true,
  turnEnds: ['<eoa>'],
  chatTemplate: () =>
    "{{ bos_token }}{% for message in messages %}{% if message.role == 'user' %}" +
    "{{ '<|User|>:' ~ message.content ~ '<eoh>\\n' }}{% elif message.role == 'assistant' %}" +
    "{{ '<|Bot|>:' ~ message.content ~ '<eoa>\\n' }}{% else %}{{ message.content ~ '\\n' }}{% endif %}" +
    "{% endfor %}{% if add_generation_prompt %}{{ '<|Bot|>:' }}{% endif %}",
};

export const internlm2: Family = {
  name: 'InternLM2',
  tokenizerClasses: ['InternLM2Tokenizer', 'InternLM2TokenizerFast'],
  modelTypes: ['internlm2'],
  addBos: true,
  turnEnds: ['<|im_end|>'],
  chatTemplate: () =>
    '{{ bos_token }}{% for message in messages %}' +
    "{{ '<|im_start|>' ~ message.role ~ '\\n' ~ message.content ~ '<|im_end|>\\n' }}{% endfor %}" +
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
};
