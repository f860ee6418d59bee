// Chat formats of families whose checkpoints bring no template, as token ids or as text.

import { readFileSync } from 'node:fs';
import type { ChatMessage } from '../src/chat/chat-message.js';
import {
  openSharedTokenizer,
  openTokenizer,
  sharedTokenizer,
  type SharedTokenizerName,
} from './tokenizer-sources.js';

const user = (content: string): ChatMessage => ({ role: 'user', content });
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content });
const system = (content: string): ChatMessage => ({ role: 'system', content });

function itWith(name: SharedTokenizerName): typeof it {
  const { present } = sharedTokenizer(name);
  if (!present) console.warn(`chat formats: ${name} skipped, its files are not in the shared data`);
  return present ? it : it.skip;
}

// Ids of ChatGLM: li-plus/chatglm.cpp, chatglm_test.cpp (MIT), which took them from the family's own tokenizers.

describe('ChatGLM2', () => {
  itWith('ChatGLM2')('frames every text by [gMASK] and sop', async () => {
    const tokenizer = await openSharedTokenizer('ChatGLM2');
    expect(tokenizer.encode('你好')).toEqual([64790, 64792, 36474, 54591]);
    const code = "def main():\n    print('hello world')\t# greeting";
    const ids = [884, 1301, 9427, 13, 296, 4466, 2029, 15616, 30914, 993, 3387, 12, 31010, 30174];
    expect(tokenizer.encode(code)).toEqual([64790, 64792, ...ids]);
    expect(tokenizer.decode([64790, 64792, ...ids])).toBe(code);
    expect(tokenizer.decode(tokenizer.encode('sophisticated'))).toBe('sophisticated');
  });

  itWith('ChatGLM2')('counts rounds', async () => {
    const tokenizer = await openSharedTokenizer('ChatGLM2');
    expect(tokenizer.encodeChat([user('你好')])).toEqual([
      64790, 64792, 790, 30951, 517, 30910, 30939, 30996, 13, 13, 54761, 31211, 39701, 13, 13, 55437, 31211,
    ]);
    const answer = '你好👋！我是人工智能助手 ChatGLM2-6B，很高兴见到你，欢迎问我任何问题。';
    expect(tokenizer.encodeChat([user('你好'), assistant(answer), user('晚上睡不着应该怎么办')])).toEqual([
      64790, 64792, 790, 30951, 517, 30910, 30939, 30996, 13, 13, 54761, 31211, 39701, 13, 13, 55437, 31211, 39701,
      243, 162, 148, 142, 31404, 33030, 34797, 42481, 22011, 10461, 30944, 30943, 30941, 30978, 30949, 31123, 48895,
      35214, 54622, 31123, 32616, 39905, 31901, 31639, 31155, 13, 13, 30995, 30951, 517, 30910, 30943, 30996, 13, 13,
      54761, 31211, 32820, 54266, 31876, 35153, 13, 13, 55437, 31211,
    ]); // prettier-ignore
  });
});

describe('ChatGLM3', () => {
  const answer = '你好👋！我是人工智能助手 ChatGLM3-6B，很高兴见到你，欢迎问我任何问题。';
  const conversation = [user('你好'), assistant(answer), user('晚上睡不着应该怎么办')];
  const expected = [
    64790, 64792, 64795, 30910, 13, 36474, 54591, 64796, 30910, 13, 36474, 54591, 243, 162, 148, 142, 31404, 33030,
    34797, 42481, 22011, 10461, 30944, 30966, 30941, 30978, 30949, 31123, 48895, 35214, 54622, 31123, 32616, 39905,
    31901, 31639, 31155, 64795, 30910, 13, 30910, 32820, 54266, 31876, 35153, 64796,
  ]; // prettier-ignore

  itWith('ChatGLM3')('names roles by tokens', async () => {
    const tokenizer = await openSharedTokenizer('ChatGLM3');
    expect(tokenizer.encodeChat([user('你好')])).toEqual([
      64790, 64792, 64795, 30910, 13, 36474, 54591, 64796,
    ]);
    expect(tokenizer.encodeChat(conversation)).toEqual(expected);
    expect(tokenizer.eosTokenIds).toEqual([2, 64795, 64797]);
  });

  itWith('ChatGLM3')('reads the template of later checkpoints, which write sop as text', async () => {
    const { files } = sharedTokenizer('ChatGLM3');
    const template =
      "{% for message in messages %}{% if loop.first %}[gMASK]sop<|{{ message['role'] }}|>\n {{ message['content'] }}" +
      "{% else %}<|{{ message['role'] }}|>\n {{ message['content'] }}{% endif %}{% endfor %}" +
      '{% if add_generation_prompt %}<|assistant|>{% endif %}';
    const tokenizer = await openTokenizer('THUDM/chatglm3-6b', {
      ...files,
      'tokenizer_config.json': { tokenizer_class: 'ChatGLMTokenizer', chat_template: template },
    });
    expect(tokenizer.encodeChat(conversation)).toEqual(expected);
  });
});

describe('Qwen', () => {
  itWith('Qwen 1')('writes ChatML with a system message of its own', async () => {
    const tokenizer = await openSharedTokenizer('Qwen 1');
    // make_context of qwen_generation_utils.py
    const text =
      '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\na<|im_end|>\n' +
      '<|im_start|>assistant\nb<|im_end|>\n<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n';
    expect(tokenizer.applyChatTemplate([user('a'), assistant('b'), user('c')])).toBe(text);
    expect(tokenizer.encodeChat([user('a')]).slice(0, 2)).toEqual([151644, 8948]);
    expect(tokenizer.applyChatTemplate([system('S'), user('a')])).not.toContain('helpful');
    expect(tokenizer.eosTokenIds).toEqual([151643, 151645, 151644]);
    expect(tokenizer.decode([151645, 151646])).toBe('');
  });
});

// The vocabularies of these two are not at hand: a small one with user-defined pieces stands in for them.

const models = JSON.parse(
  readFileSync(new URL('tokenizer-fixtures/models.json', import.meta.url), 'utf8'),
) as { name: string; model: string }[];
const small = (name: string) => ({
  'tokenizer.model': Buffer.from(models.find((entry) => entry.name === name)?.model ?? '', 'base64'),
});

describe('Baichuan', () => {
  const files = small('BPE, no prefix space, user-defined pieces');
  const tokenizer_config = { tokenizer_class: 'BaichuanTokenizer', add_bos_token: false };

  it('marks roles by the reserved ids of generation_config.json', async () => {
    const tokenizer = await openTokenizer('baichuan', {
      ...files,
      'tokenizer_config.json': tokenizer_config,
      'generation_config.json': { user_token_id: 3, assistant_token_id: 4 },
    });
    const text = (content: string) => tokenizer.encode(content);
    expect(tokenizer.encodeChat([system('the'), user('dog'), assistant('park'), user('girl')])).toEqual(
      [text('the'), 3, text('dog'), 4, text('park'), 3, text('girl'), 4].flat(),
    );
  });

  it('has no chat format without them: a base model', async () => {
    const tokenizer = await openTokenizer('baichuan', {
      ...files,
      'tokenizer_config.json': tokenizer_config,
    });
    expect(tokenizer.hasChatTemplate).toBe(false);
  });

  it('starts texts by BOS unless told not to', async () => {
    const tokenizer = await openTokenizer('baichuan', {
      ...files,
      'config.json': { model_type: 'baichuan' },
    });
    expect(tokenizer.encode('dog')[0]).toBe(1);
  });
});

describe('InternLM', () => {
  it('writes turns as text that ends in its marks', async () => {
    const tokenizer = await openTokenizer('internlm', {
      ...small('BPE, byte fallback, user-defined pieces'),
      'tokenizer_config.json': { tokenizer_class: 'InternLMTokenizer' },
    });
    // build_inputs of modeling_internlm.py, with BOS before it; chatglm.cpp has the same text.
    expect(tokenizer.applyChatTemplate([user('a'), assistant('b'), user('c')])).toBe(
      '<s><|User|>:a<eoh>\n<|Bot|>:b<eoa>\n<|User|>:c<eoh>\n<|Bot|>:',
    );
    const ids = tokenizer.encodeChat([user('dog')]);
    // <s>, then <eoh> as one piece (3: the first after <unk>, <s>, </s>), no prefix space behind it.
    expect(ids[0]).toBe(1);
    expect(tokenizer.decode(ids.slice(ids.indexOf(3)))).toBe('<eoh>\n<|Bot|>:');
  });
});

describe('InternLM2', () => {
  it('writes ChatML behind BOS', async () => {
    const tokenizer = await openTokenizer('internlm2', {
      ...small('BPE, byte fallback, user-defined pieces'),
      'tokenizer_config.json': {
        tokenizer_class: 'InternLM2Tokenizer',
        added_tokens_decoder: {
          500: { content: '<|im_end|>', special: true },
          501: { content: '<|im_start|>', special: true },
        },
      },
    });
    expect(tokenizer.applyChatTemplate([user('a')])).toBe(
      '<s><|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n',
    );
    expect(tokenizer.eosTokenIds).toEqual([2, 500]);
  });
});
