import { resolveEosTokenIds } from './eos-tokens.js';

describe('resolveEosTokenIds', () => {
  const all = {
    generationConfig: { eos_token_id: [2, 0] },
    config: { eos_token_id: 7 },
    tokenizerEosIds: [9],
  };

  it.each([
    ['generation_config.json comes first', all, [2, 0]],
    ['then config.json', { ...all, generationConfig: {} }, [7]],
    ['null is as good as absent', { ...all, generationConfig: { eos_token_id: null } }, [7]],
    ['then the tokenizer', { ...all, generationConfig: undefined, config: {} }, [9]],
    ['there may be none', {}, []],
    ['ignoreEos leaves none', { ...all, ignoreEos: true }, []],
  ])('%s', (_, sources, expected) => {
    expect([...resolveEosTokenIds(sources)]).toEqual(expected);
  });

  it('refuses anything else, naming the file', () => {
    expect(() => resolveEosTokenIds({ config: { eos_token_id: ['</s>'] } })).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        fields: expect.objectContaining({ option: 'config.json eos_token_id', found: '</s>' }),
      }),
    );
  });
});
