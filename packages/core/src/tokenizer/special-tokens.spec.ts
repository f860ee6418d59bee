import { parseSpecialTokens } from './special-tokens.js';

describe('parseSpecialTokens', () => {
  it('reads tokens as text and as AddedToken objects, and leaves out those that are null', () => {
    const config = {
      bos_token: { __type: 'AddedToken', content: '<s>' },
      eos_token: '</s>',
      pad_token: null,
    };
    expect(parseSpecialTokens(config)).toEqual({ bos_token: '<s>', eos_token: '</s>' });
  });

  it('lets tokenizer_config.json win over special_tokens_map.json', () => {
    const map = {
      eos_token: '<old>',
      unk_token: '<unk>',
      additional_special_tokens: ['<a>', { content: '<b>' }],
    };
    expect(parseSpecialTokens({ eos_token: '<new>' }, map)).toEqual({
      eos_token: '<new>',
      unk_token: '<unk>',
      additional_special_tokens: ['<a>', '<b>'],
    });
  });

  it('passes over what is no token', () => {
    expect(parseSpecialTokens({ bos_token: 7, additional_special_tokens: 'x', eos_token: [] })).toEqual({});
  });
});
