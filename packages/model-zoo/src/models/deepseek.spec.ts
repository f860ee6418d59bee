import { ConfigReader } from '../config/config-reader.js';
import { Mixture } from '../experts/mixture.js';
import { LatentAttention } from '../latent/latent-attention.js';
import { deepseekV2, deepseekV3 } from './deepseek.js';

const CONFIG = {
  hidden_size: 64,
  intermediate_size: 128,
  moe_intermediate_size: 32,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  n_routed_experts: 8,
  n_shared_experts: 2,
  num_experts_per_tok: 3,
  first_k_dense_replace: 1,
  n_group: 4,
  topk_group: 2,
  kv_lora_rank: 32,
  q_lora_rank: null,
  qk_nope_head_dim: 16,
  qk_rope_head_dim: 8,
  v_head_dim: 12,
  vocab_size: 256,
};

const parse = (family: typeof deepseekV2, config: Record<string, unknown> = {}) => {
  const { mixers, feedForwards, ropes } = family.parse(new ConfigReader({ ...CONFIG, ...config }));
  const [mixer] = mixers;
  const mixture = feedForwards.at(-1);
  if (!(mixer instanceof LatentAttention) || !(mixture instanceof Mixture))
    throw new Error('Unexpected parts');
  return { attention: mixer, mixture: mixture.config, feedForwards, rope: ropes[0] };
};

describe('latent attention', () => {
  it('keeps one latent and one rotated key per token', () => {
    // kv_lora_rank + qk_rope_head_dim
    expect(parse(deepseekV3).attention.cache).toEqual({
      kind: 'attention',
      kvHeads: 1,
      headDim: 40,
      keysOnly: true,
    });
  });

  it('takes null for queries that are not compressed, and 1536 for an absent rank', () => {
    expect(parse(deepseekV2).attention.config.queryRank).toBeUndefined();
    expect(parse(deepseekV2, { q_lora_rank: undefined }).attention.config.queryRank).toBe(1536);
    expect(parse(deepseekV2, { q_lora_rank: 24 }).attention.config.queryRank).toBe(24);
  });

  it('sharpens scores by the square of yarn’s magnitude, in both dialects', () => {
    const yarn = { factor: 40, mscale: 1, mscale_all_dim: 0.5, original_max_position_embeddings: 32 };
    // qk head size 16 + 8; magnitude 0.1 · 0.5 · ln 40 + 1
    const expected = (0.05 * Math.log(40) + 1) ** 2 / Math.sqrt(24);
    for (const config of [
      { rope_theta: 10_000, rope_scaling: { type: 'yarn', ...yarn } },
      { rope_parameters: { rope_type: 'yarn', rope_theta: 10_000, ...yarn } },
    ]) {
      expect(parse(deepseekV3, config).attention.config.scale).toBeCloseTo(expected, 12);
    }
    expect(parse(deepseekV3).attention.config.scale).toBeCloseTo(1 / Math.sqrt(24), 12);
  });

  it('rotates interleaved pairs, unless V3 says otherwise', () => {
    expect(parse(deepseekV2).rope).toMatchObject({ rotaryDim: 8, style: 'interleaved' });
    expect(parse(deepseekV3, { rope_interleave: false }).rope?.style).toBe('half');
  });
});

describe('experts', () => {
  it('follow the first dense layers; shared ones are one MLP of their widths together', () => {
    const { feedForwards, mixture } = parse(deepseekV3);
    expect(feedForwards.map(({ kind }) => kind)).toEqual(['mlp', 'recorded', 'recorded']);
    expect(mixture.shared).toMatchObject({ stem: 'mlp.shared_experts', width: 64, gate: undefined });
    expect(parse(deepseekV3, { n_shared_experts: 0 }).mixture.shared).toBeUndefined();
  });

  it('V2 routes greedily or within the groups of the best experts', () => {
    expect(parse(deepseekV2).mixture.routing).toMatchObject({ scoring: 'softmax', groups: undefined });
    expect(parse(deepseekV2, { topk_method: 'group_limited_greedy' }).mixture.routing.groups).toEqual({
      count: 4,
      topGroups: 2,
      score: 'max',
    });
    expect(parse(deepseekV2).mixture.correctionBias).toBeUndefined();
  });

  it('V3 routes within the groups of the best pairs, corrected by a bias', () => {
    const { routing, correctionBias } = parse(deepseekV3, { norm_topk_prob: true }).mixture;
    expect(routing).toEqual({
      topK: 3,
      scoring: 'sigmoid',
      normalizeTopK: true,
      scale: 2.5,
      groups: { count: 4, topGroups: 2, score: 'top2-sum' },
      scaleInput: false,
    });
    expect(correctionBias).toBe('mlp.gate.e_score_correction_bias');
  });
});

describe('what is not understood is refused by name', () => {
  it.each([
    [deepseekV2, 'topk_method', 'noaux_tc'],
    [deepseekV2, 'scoring_func', 'sigmoid'],
    [deepseekV2, 'norm_topk_prob', true],
    [deepseekV3, 'topk_method', 'greedy'],
    [deepseekV3, 'scoring_func', 'softmax'],
    [deepseekV3, 'moe_layer_freq', 2],
    [deepseekV3, 'mlp_bias', true],
  ])('%p %s = %p', (family, field, value) => {
    expect(() => parse(family, { [field]: value })).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_FIELD', fields: expect.objectContaining({ field }) }),
    );
  });

  it.each([
    ['n_group', 3],
    // Groups of one have no best two.
    ['n_group', 8],
    ['topk_group', 5],
    ['num_experts_per_tok', 5],
    ['qk_rope_head_dim', 7],
    ['kv_lora_rank', 0],
  ])('%s = %p', (field, value) => {
    expect(() => parse(deepseekV3, { [field]: value })).toThrow(
      expect.objectContaining({ code: 'INVALID_CONFIG' }),
    );
  });
});
