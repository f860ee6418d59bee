import { ConfigReader } from '../config/config-reader.js';
import type { ModelError } from '../errors.js';
import type { RopeConfig } from './rope-config.js';
import { readRopeConfig } from './read-rope-config.js';

const DEFAULTS = { headDim: 16, maxPositions: 128, theta: 10_000 };

const read = (config: Record<string, unknown>): RopeConfig =>
  readRopeConfig(new ConfigReader(config), DEFAULTS);

function refusal(config: Record<string, unknown>): ModelError {
  try {
    read(config);
  } catch (error) {
    return error as ModelError;
  }
  throw new Error('Expected the config to be refused');
}

it('pairs columns half a head apart unless rope_interleave says neighbours', () => {
  expect(read({}).style).toBe('half');
  expect(read({ rope_interleave: false }).style).toBe('half');
  expect(read({ rope_interleave: true }).style).toBe('interleaved');
  expect(refusal({ rope_interleave: 1 }).code).toBe('INVALID_CONFIG');
});

describe('dialects', () => {
  const llama3 = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 32 };

  it.each([
    ['rope_parameters', { rope_parameters: { rope_type: 'llama3', rope_theta: 5e5, ...llama3 } }],
    [
      'rope_parameters with the theta outside',
      { rope_parameters: { rope_type: 'llama3', ...llama3 }, rope_theta: 5e5 },
    ],
    ['rope_scaling', { rope_scaling: { rope_type: 'llama3', ...llama3 }, rope_theta: 5e5 }],
    ['rope_scaling with type', { rope_scaling: { type: 'llama3', ...llama3 }, rope_theta: 5e5 }],
    [
      'rope_parameters per kind of layer, all the same',
      {
        rope_parameters: {
          full_attention: { rope_type: 'llama3', rope_theta: 5e5, ...llama3 },
          sliding_attention: { rope_type: 'llama3', rope_theta: 5e5, ...llama3 },
        },
      },
    ],
    [
      'rope_parameters per kind of layer, one in use',
      {
        layer_types: ['full_attention'],
        rope_parameters: {
          full_attention: { rope_type: 'llama3', rope_theta: 5e5, ...llama3 },
          sliding_attention: { rope_type: 'default', rope_theta: 1e4 },
        },
      },
    ],
  ])('%s', (_, config) => {
    expect(read(config)).toEqual({
      theta: 5e5,
      headDim: 16,
      rotaryDim: 16,
      style: 'half',
      maxPositions: 128,
      scaling: { type: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 32 },
    });
  });

  it.each([{}, { rope_scaling: null }, { rope_parameters: { rope_type: 'default' } }, { rope_scaling: {} }])(
    '%j is the default',
    (config) => {
      expect(read(config)).toMatchObject({ theta: 10_000, rotaryDim: 16, scaling: { type: 'default' } });
    },
  );

  it('honours partial_rotary_factor at the top and in the section', () => {
    expect(read({ partial_rotary_factor: 0.5 }).rotaryDim).toBe(8);
    expect(read({ rope_parameters: { partial_rotary_factor: 0.25 } }).rotaryDim).toBe(4);
    expect(refusal({ partial_rotary_factor: 0.2 }).code).toBe('INVALID_CONFIG');
  });
});

describe('yarn and longrope', () => {
  it('take the original length from the top level, the section, or the model', () => {
    const yarn = { type: 'yarn', factor: 4 };
    const field = 'original_max_position_embeddings';
    expect(read({ rope_scaling: yarn }).scaling).toMatchObject({ originalMaxPositions: 128 });
    expect(read({ rope_scaling: { ...yarn, [field]: 32 } }).scaling).toMatchObject({
      originalMaxPositions: 32,
    });
    expect(read({ rope_scaling: { ...yarn, [field]: 32 }, [field]: 16 }).scaling).toMatchObject({
      originalMaxPositions: 16,
    });
  });

  it('derive the attention factor as the papers do', () => {
    // 0.1 · ln 4 + 1
    expect(read({ rope_scaling: { type: 'yarn', factor: 4 } }).scaling).toMatchObject({
      attentionFactor: expect.closeTo(1.1386294361119891, 12),
    });
    const factors = { short_factor: Array(8).fill(1), long_factor: Array(8).fill(2) };
    // √(1 + ln(128 / 16) / ln 16) = √1.75
    expect(
      read({ rope_scaling: { type: 'su', ...factors }, original_max_position_embeddings: 16 }).scaling,
    ).toMatchObject({ type: 'longrope', attentionFactor: expect.closeTo(Math.sqrt(1.75), 12) });
  });

  it('check the number of factors', () => {
    const error = refusal({ rope_scaling: { type: 'longrope', short_factor: [1], long_factor: [1] } });
    expect(error).toMatchObject({ code: 'INVALID_CONFIG', fields: { field: 'rope_scaling.short_factor' } });
  });
});

describe('refusals', () => {
  it.each([
    ['an unknown type', { rope_scaling: { type: 'ntk-by-parts', factor: 2 } }, 'ntk-by-parts'],
    [
      'a field the type does not have',
      { rope_scaling: { type: 'linear', factor: 2, long_mscale: 1.2 } },
      'long_mscale',
    ],
    ['a factor without a type', { rope_scaling: { factor: 2 } }, 'factor'],
    [
      'several embeddings',
      { rope_parameters: { full_attention: { rope_theta: 1e6 }, sliding_attention: { rope_theta: 1e4 } } },
      'rope_parameters',
    ],
    ['a name of the prototype', { rope_scaling: { type: 'toString' } }, 'toString'],
  ])('%s', (_, config, name) => {
    const error = refusal(config);
    expect(error.code).toBe('UNSUPPORTED_ROPE');
    expect(error.message).toContain(name);
  });

  it.each([
    ['rope_scaling.factor', { rope_scaling: { type: 'linear' } }],
    ['rope_scaling.factor', { rope_scaling: { type: 'dynamic', factor: -1 } }],
    [
      'rope_scaling.high_freq_factor',
      { rope_scaling: { type: 'llama3', factor: 8, low_freq_factor: 4, high_freq_factor: 3 } },
    ],
    ['rope_parameters.full_attention', { rope_parameters: { full_attention: 3 } }],
  ])('%s with an impossible value', (field, config) => {
    expect(refusal(config)).toMatchObject({ code: 'INVALID_CONFIG', fields: { field } });
  });
});
