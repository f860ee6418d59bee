import { ConfigReader } from '../config/config-reader.js';
import { gptOss } from './gpt-oss.js';

const CONFIG = {
  hidden_size: 64,
  intermediate_size: 48,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  num_local_experts: 4,
  num_experts_per_tok: 2,
  rope_scaling: { rope_type: 'yarn', factor: 32, original_max_position_embeddings: 4096, truncate: false },
  vocab_size: 256,
};

const parse = (config: Record<string, unknown> = {}) =>
  gptOss.parse(new ConfigReader({ ...CONFIG, ...config }));

const windows = (config: Record<string, unknown>) =>
  parse(config).mixers.map((mixer) => (mixer.kind === 'attention' ? mixer.window : NaN));

describe('gpt-oss', () => {
  it('windows every other layer from the first on, unless the config lists them', () => {
    expect(windows({})).toEqual([128, undefined, 128, undefined]);
    const layer_types = ['full_attention', 'full_attention', 'sliding_attention', 'full_attention'];
    expect(windows({ layer_types, sliding_window: 6 })).toEqual([undefined, undefined, 6, undefined]);
  });

  it('has sinks and biases in attention, and weights of the chosen experts by softmax over them alone', () => {
    const { mixers, feedForwards } = parse();
    expect(mixers[0]).toMatchObject({ sinks: true, biases: { qkv: true, o: true } });
    expect(feedForwards[0]).toMatchObject({
      config: { gate: { alpha: 1.702, limit: 7 }, routerBias: true, routing: { topK: 2, scoring: 'none' } },
    });
  });

  it('has experts input-major, or output-major in MXFP4', () => {
    const layoutOf = (config: Record<string, unknown>) => parse(config).feedForwards[0];
    expect(layoutOf({})).toMatchObject({ config: { layout: { inputMajor: true } } });
    expect(layoutOf({ quantization_config: { quant_method: 'mxfp4' } })).toMatchObject({
      config: { layout: { inputMajor: false } },
    });
  });

  it.each([
    ['UNSUPPORTED_FIELD', 'hidden_act', 'gelu'],
    ['UNSUPPORTED_FIELD', 'swiglu_limit', 9],
    ['UNSUPPORTED_QUANTIZATION', 'quantization_config', { quant_method: 'hqq' }],
    ['INVALID_CONFIG', 'rope_scaling', null],
    ['INVALID_CONFIG', 'num_local_experts', 0],
  ])('refuses with %s: %s = %p', (code, field, value) => {
    expect(() => parse({ [field]: value })).toThrow(
      expect.objectContaining({ code, fields: expect.objectContaining({ field }) }),
    );
  });
});
