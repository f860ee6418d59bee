import { resolveSamplingOptions, samplingOptionNames } from './sampling-options.js';

describe('resolveSamplingOptions', () => {
  it('decodes greedily, with every filter off, when nobody asks for sampling', () => {
    expect(resolveSamplingOptions()).toMatchObject({
      doSample: false,
      temperature: 1,
      topK: 0,
      topP: 1,
      minP: 0,
      repetitionPenalty: 1,
      presencePenalty: 0,
      frequencyPenalty: 0,
      logitBias: new Map(),
    });
  });

  it.each([
    ['a temperature above 0 samples', { temperature: 0.5 }, {}, true],
    [
      'temperature 0 is greedy even where the model samples by default',
      { temperature: 0 },
      { do_sample: true },
      false,
    ],
    ['doSample false wins over a temperature', { temperature: 0.5, doSample: false }, {}, false],
    ['doSample true samples', { doSample: true }, {}, true],
    ['generation_config.json may ask for it', {}, { do_sample: true, temperature: 0.6 }, true],
    ['a temperature in generation_config.json alone does not', {}, { temperature: 0.6 }, false],
    ['a filter alone does not', { topP: 0.5 }, {}, false],
  ])('%s', (_, options, config, expected) => {
    expect(resolveSamplingOptions(options, config).doSample).toBe(expected);
  });

  it('takes what the caller leaves out from generation_config.json, and null as left out', () => {
    const config = { do_sample: true, temperature: 0.6, top_p: 0.9, top_k: null, repetition_penalty: 1.1 };
    expect(resolveSamplingOptions({ topP: 0.5, temperature: null }, config)).toMatchObject({
      doSample: true,
      temperature: 0.6,
      topP: 0.5,
      topK: 0,
      repetitionPenalty: 1.1,
    });
  });

  it('accepts logit biases as an object or a Map', () => {
    const expected = new Map([
      [5, -1],
      [9, -Infinity],
    ]);
    expect(resolveSamplingOptions({ logitBias: { 5: -1, 9: -Infinity } }).logitBias).toEqual(expected);
    expect(resolveSamplingOptions({ logitBias: expected }).logitBias).toEqual(expected);
  });

  it('draws a new seed when none is given', () => {
    const seeds = new Set(Array.from({ length: 4 }, () => resolveSamplingOptions({ doSample: true }).seed));
    expect(seeds.size).toBe(4);
  });

  it.each([
    [{ temperature: -1 }, {}, 'temperature', -1],
    [{ temperature: NaN }, {}, 'temperature', NaN],
    [{ temperature: 0, doSample: true }, {}, 'temperature', 0],
    [{ topK: 1.5 }, {}, 'topK', 1.5],
    [{ topP: 1.01 }, {}, 'topP', 1.01],
    [{ minP: -0.1 }, {}, 'minP', -0.1],
    [{ repetitionPenalty: 0 }, {}, 'repetitionPenalty', 0],
    [{ presencePenalty: 3 }, {}, 'presencePenalty', 3],
    [{ frequencyPenalty: -3 }, {}, 'frequencyPenalty', -3],
    [{ seed: -1 }, {}, 'seed', -1],
    [{ logitBias: { 3: NaN } }, {}, 'logitBias[3]', NaN],
    [{ logitBias: new Map([[-3, 1]]) }, {}, 'logitBias', -3],
    [{ logitBias: { '1e3': 1 } as unknown as Record<number, number> }, {}, 'logitBias', '1e3'],
    [{ topP: '0.9' as unknown as number }, {}, 'topP', '0.9'],
    [{ doSample: 1 as unknown as boolean }, {}, 'doSample', 1],
    [{}, { top_p: 7 }, 'generation_config.json top_p', 7],
  ])('refuses %p with %p, naming the field', (options, config, option, found) => {
    expect(() => resolveSamplingOptions(options, config)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', fields: expect.objectContaining({ option, found }) }),
    );
  });

  it('lists the option names', () => {
    expect([...samplingOptionNames].sort()).toEqual(Object.keys(resolveSamplingOptions()).sort());
  });
});
