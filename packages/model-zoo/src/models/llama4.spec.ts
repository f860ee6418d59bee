import { ConfigReader } from '../config/config-reader.js';
import type { AttentionConfig } from '../decoder/decoder-config.js';
import { Mixture } from '../experts/mixture.js';
import { llama4 } from './llama4.js';

const CONFIG = {
  hidden_size: 64,
  intermediate_size: 48,
  intermediate_size_mlp: 96,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  num_local_experts: 4,
  vocab_size: 256,
};

const parse = (config: Record<string, unknown> = {}) => {
  const decoder = llama4.parse(new ConfigReader({ ...CONFIG, ...config }));
  const attentions = decoder.mixers.filter((mixer): mixer is AttentionConfig => mixer.kind === 'attention');
  return { ...decoder, attentions };
};

describe('rotating and global layers', () => {
  it('every fourth layer is global: no rotation, no chunks, no norm, scaled queries', () => {
    const { attentions } = parse();
    expect(attentions.map(({ rope }) => rope)).toEqual([0, 0, 0, undefined]);
    expect(attentions.map(({ chunk }) => chunk)).toEqual([8192, 8192, 8192, undefined]);
    expect(attentions.map(({ queryScale }) => queryScale)).toEqual([undefined, undefined, undefined, 0]);
    expect(attentions.map(({ qkNorm }) => qkNorm?.weight)).toEqual(['none', 'none', 'none', undefined]);
  });

  it('lists in the config decide; an empty or null one does not', () => {
    const listed = parse({ no_rope_layers: [1, 0, 1, 1], attention_chunk_size: 8 }).attentions;
    expect(listed.map(({ rope }) => rope)).toEqual([0, undefined, 0, 0]);
    expect(listed.map(({ chunk }) => chunk)).toEqual([8, undefined, 8, 8]);
    for (const no_rope_layers of [[], null]) {
      expect(parse({ no_rope_layers }).attentions.map(({ rope }) => rope)).toEqual([0, 0, 0, undefined]);
    }
    const layer_types = ['full_attention', 'chunked_attention', 'full_attention', 'full_attention'];
    expect(parse({ layer_types }).attentions.map(({ chunk }) => chunk)).toEqual([
      undefined,
      8192,
      undefined,
      undefined,
    ]);
  });

  it('refuses lists of another length or with unknown kinds', () => {
    expect(() => parse({ no_rope_layers: [1] })).toThrow(/no_rope_layers/);
    expect(() => parse({ layer_types: Array(4).fill('sliding_attention') })).toThrow(/layer_types/);
  });

  it('norms queries and keys only with use_qk_norm', () => {
    expect(parse({ use_qk_norm: false }).attentions.some(({ qkNorm }) => qkNorm)).toBe(false);
  });
});

describe('temperature', () => {
  it('grows with the logarithm of the position’s multiple of floor_scale', () => {
    const [scale] = parse({ floor_scale: 4, attn_scale: 0.1 }).rowScales;
    // Position 0 … 2 → ⌊(p + 1) / 4⌋ = 0; 3 → 1; 11 → 3.
    expect([0, 2, 3, 11].map((position) => scale?.(position))).toEqual([
      1,
      1,
      1 + 0.1 * Math.log(2),
      1 + 0.1 * Math.log(4),
    ]);
  });

  it('may be off; early configs write a number for on', () => {
    const off = parse({ attn_temperature_tuning: false });
    expect(off.rowScales).toEqual([]);
    expect(off.attentions.map(({ queryScale }) => queryScale)).toEqual(Array(4).fill(undefined));
    expect(parse({ attn_temperature_tuning: 4 }).rowScales).toHaveLength(1);
  });
});

describe('experts', () => {
  const sparse = (config: Record<string, unknown>) =>
    parse(config).feedForwards.flatMap((part, layer) => (part instanceof Mixture ? [layer] : []));

  it('are in every layer, every n-th, or those listed', () => {
    expect(sparse({})).toEqual([0, 1, 2, 3]);
    expect(sparse({ interleave_moe_layer_step: 2 })).toEqual([1, 3]);
    expect(sparse({ interleave_moe_layer_step: 2, moe_layers: [0] })).toEqual([0]);
    expect(sparse({ moe_layers: [] })).toEqual([]);
  });

  it('weigh their input by the sigmoid of the best logit; dense layers have a width of their own', () => {
    const [dense, mixture] = parse({ interleave_moe_layer_step: 2 }).feedForwards;
    expect(dense).toMatchObject({ kind: 'mlp', width: 96 });
    expect(mixture).toMatchObject({
      config: {
        width: 48,
        routing: { topK: 1, scoring: 'sigmoid', scaleInput: true },
        shared: { width: 48 },
      },
    });
  });
});
