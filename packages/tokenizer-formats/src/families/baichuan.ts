// Baichuan and Baichuan 2. Source: tokenization_baichuan.py and generation_utils.py of baichuan-inc/Baichuan2-7B-Chat
// and Baichuan-13B-Chat.

import type { Family } from './family.js';

/**
 * Roles are two reserved tokens whose ids generation_config.json gives (`<reserved_106>` and `<reserved_107>` in
 * Baichuan 2, `<reserved_102>` and `<reserved_103>` in Baichuan); base models have none.
 */
export const baichuan: Family = {
  name: 'Baichuan',
  tokenizerClasses: ['BaichuanTokenizer', 'BaiChuanTokenizer'],
  modelTypes: ['baichuan'],
  addBos: true,
  chatTemplate: ({ generationConfig }, tokenOf) => {
    const role = (name: string): string | undefined => {
      const id = generationConfig[name];
      return typeof id === 'number' ? tokenOf(id) : undefined;
    };
    const user = role('user_token_id');
    const assistant = role('assistant_token_id');
    if (user === undefined || assistant === undefined) return undefined;
    return (
      "{% for message in messages %}{% if message.role == 'user' %}" +
      `{{ '${user}' ~ message.content }}{% elif message.role == 'assistant' %}` +
      `{{ '${assistant}' ~ message.content }}{% else %}{{ message.content }}{% endif %}{% endfor %}` +
      `{% if add_generation_prompt %}{{ '${assistant}' }}{% endif %}`
    );
  },
};
