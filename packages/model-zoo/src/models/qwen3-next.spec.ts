import { ConfigReader } from '../config/config-reader.js';
import { GatedDeltaNet } from '../delta/gated-delta-net.js';
import { Mixture } from '../experts/mixture.js';
import { resolveModel } from '../resolve-model.js';
import { qwen35, qwen35Moe, qwen35MoeFused, qwen3Next } from './qwen3-next.js';

const CONFIG = {
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  linear_num_key_heads: 2,
  linear_num_value_heads: 4,
  linear_key_head_dim: 8,
  linear_value_head_dim: 12,
  num_experts: 4,
  num_experts_per_tok: 2,
  moe_intermediate_size: 24,
  shared_expert_intermediate_size: 24,
  vocab_size: 256,
};

const parse = (family: typeof qwen3Next, config: Record<string, unknown> = {}) =>
  family.parse(new ConfigReader({ ...CONFIG, ...config }));

const deltaLayers = (config: Record<string, unknown>) =>
  parse(qwen3Next, config).mixers.flatMap((mixer, layer) => (mixer instanceof GatedDeltaNet ? [layer] : []));

describe('mixers', () => {
  it('are delta nets but for every fourth, every n-th, or as listed', () => {
    expect(deltaLayers({})).toEqual([0, 1, 2]);
    expect(deltaLayers({ full_attention_interval: 2 })).toEqual([0, 2]);
    const layer_types = ['full_attention', 'linear_attention', 'full_attention', 'full_attention'];
    expect(deltaLayers({ layer_types })).toEqual([1]);
    expect(() => deltaLayers({ layer_types: layer_types.slice(1) })).toThrow(/layer_types/);
    expect(() => deltaLayers({ layer_types: Array(4).fill('sliding_attention') })).toThrow(/layer_types/);
  });

  it('a delta net keeps a state per value head and the last inputs of its convolution', () => {
    const [mixer] = parse(qwen35).mixers;
    // Channels: q and k of 2 heads by 8, v of 4 heads by 12.
    expect(mixer).toMatchObject({
      cache: {
        kind: 'recurrent',
        convChannels: 2 * 16 + 48,
        convWidth: 4,
        heads: 4,
        keyDim: 8,
        valueDim: 12,
      },
    });
  });

  it('rotate a quarter of each head unless the config says otherwise', () => {
    expect(parse(qwen35).ropes[0]?.rotaryDim).toBe(4);
    const rope_parameters = { rope_theta: 1e6, partial_rotary_factor: 0.5, mrope_section: [2, 1, 1] };
    expect(parse(qwen35, { rope_parameters }).ropes[0]?.rotaryDim).toBe(8);
  });
});

describe('feed-forward parts', () => {
  it('Qwen3.5 has an MLP, or experts in all layers, fused where the model is multimodal', () => {
    expect(parse(qwen35).feedForwards[0]).toMatchObject({ kind: 'mlp', width: 96 });
    const { intermediate_size: _, ...config } = CONFIG;
    const mixtureOf = (family: typeof qwen35Moe) => {
      const [part] = family.parse(new ConfigReader(config)).feedForwards;
      return part instanceof Mixture ? part.config : undefined;
    };
    const expected = {
      routing: { normalizeTopK: true },
      shared: { width: 24, gate: 'mlp.shared_expert_gate' },
    };
    expect(mixtureOf(qwen35Moe)).toMatchObject({ ...expected, layout: { kind: 'separate' } });
    expect(mixtureOf(qwen35MoeFused)).toMatchObject({
      ...expected,
      layout: { kind: 'fused', inputMajor: false },
    });
  });
});

it('the text part of a multimodal Qwen3.5 is found by its section and longer names', () => {
  const model = resolveModel({
    architectures: ['Qwen3_5ForConditionalGeneration'],
    model_type: 'qwen3_5',
    text_config: CONFIG,
    vision_config: {},
    tie_word_embeddings: true,
  });
  expect(model.embedding.name).toBe('model.language_model.embed_tokens.weight');
  for (const name of ['model.visual.patch_embed.proj.weight', 'mtp.norm.weight', 'lm_head.weight']) {
    expect(model.ignores(name)).toBe(true);
  }
});

it.each([
  ['UNSUPPORTED_FIELD', 'attn_output_gate', false],
  ['UNSUPPORTED_FIELD', 'hidden_act', 'gelu'],
  ['INVALID_CONFIG', 'linear_num_value_heads', 3],
  ['INVALID_CONFIG', 'linear_conv_kernel_dim', 0],
  ['INVALID_CONFIG', 'linear_key_head_dim', 1e9],
])('refuses with %s: %s = %p', (code, field, value) => {
  expect(() => parse(qwen3Next, { [field]: value })).toThrow(
    expect.objectContaining({ code, fields: expect.objectContaining({ field }) }),
  );
});
