import { ConfigReader } from '../config/config-reader.js';
import type { DecoderConfig } from '../decoder/decoder-config.js';
import { Mixture } from '../experts/mixture.js';
import { qwen2Moe } from './qwen2-moe.js';
import { qwen3Moe } from './qwen3-moe.js';

const CONFIG = {
  hidden_size: 64,
  intermediate_size: 96,
  moe_intermediate_size: 32,
  shared_expert_intermediate_size: 48,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_experts: 8,
  num_experts_per_tok: 2,
  vocab_size: 256,
};

const parse = (family: typeof qwen2Moe, config: Record<string, unknown> = {}): DecoderConfig =>
  family.parse(new ConfigReader({ ...CONFIG, ...config }));

const mixtures = ({ feedForwards }: DecoderConfig) =>
  feedForwards.map((part) => (part instanceof Mixture ? part.config : undefined));

/** Layers with experts. */
const sparse = (config: Record<string, unknown>) =>
  mixtures(parse(qwen3Moe, config)).flatMap((mixture, layer) => (mixture ? [layer] : []));

describe('which layers have experts', () => {
  it('all, or every decoder_sparse_step-th, but those in mlp_only_layers', () => {
    expect(sparse({})).toEqual([0, 1, 2, 3]);
    expect(sparse({ decoder_sparse_step: 2 })).toEqual([1, 3]);
    expect(sparse({ mlp_only_layers: [0, 3] })).toEqual([1, 2]);
    expect(sparse({ mlp_only_layers: null, decoder_sparse_step: 3 })).toEqual([2]);
  });

  it.each([[[4]], [[-1]], [['0']], [[0.5]], ['0'], [[0, 0, 0, 0, 0]]])(
    'refuses mlp_only_layers %j',
    (value) => {
      expect(() => sparse({ mlp_only_layers: value })).toThrow(/mlp_only_layers/);
    },
  );

  it('refuses more chosen experts than there are', () => {
    expect(() => sparse({ num_experts_per_tok: 9 })).toThrow(/num_experts_per_tok/);
  });
});

describe('routing', () => {
  it('normalises the chosen probabilities when norm_topk_prob says so', () => {
    expect(mixtures(parse(qwen3Moe))[0]?.routing).toMatchObject({
      topK: 2,
      scoring: 'softmax',
      normalizeTopK: false,
    });
    expect(mixtures(parse(qwen3Moe, { norm_topk_prob: true }))[0]?.routing.normalizeTopK).toBe(true);
  });

  it("reads the number of experts under both of Qwen3-MoE's names", () => {
    const { num_experts, ...rest } = CONFIG;
    const reader = new ConfigReader({ ...rest, num_local_experts: num_experts });
    expect(mixtures(qwen3Moe.parse(reader))[0]?.experts).toBe(8);
  });
});

describe('shared experts', () => {
  it('stand beside the experts of Qwen2-MoE, behind a gate, and not of Qwen3-MoE', () => {
    expect(mixtures(parse(qwen2Moe))[0]?.shared).toMatchObject({ width: 48, gate: 'mlp.shared_expert_gate' });
    expect(mixtures(parse(qwen3Moe))[0]?.shared).toBeUndefined();
  });
});

describe('windows', () => {
  const window = (family: typeof qwen2Moe, config: Record<string, unknown>) =>
    parse(family, config).mixers.map((mixer) => (mixer.kind === 'attention' ? mixer.window : NaN));

  it('Qwen3-MoE: every layer, when enabled', () => {
    expect(window(qwen3Moe, { sliding_window: 8 })).toEqual([undefined, undefined, undefined, undefined]);
    expect(window(qwen3Moe, { sliding_window: 8, use_sliding_window: true })).toEqual([8, 8, 8, 8]);
  });

  it('Qwen2-MoE: as layer_types says, and refused without', () => {
    const enabled = { sliding_window: 8, use_sliding_window: true };
    const layer_types = ['sliding_attention', 'full_attention', 'full_attention', 'full_attention'];
    expect(window(qwen2Moe, { ...enabled, layer_types })).toEqual([8, undefined, undefined, undefined]);
    expect(() => window(qwen2Moe, enabled)).toThrow(/use_sliding_window/);
  });
});
