import { Recorder } from '@airllm/backend';
import { alibiSlopes } from '../config/alibi-slopes.js';
import type { ModelDefinition } from '../definition.js';
import { ModelError } from '../errors.js';
import { listWeights } from '../list-weights.js';
import { resolveModel } from '../resolve-model.js';

const SIZES = {
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  vocab_size: 256,
};

const resolve = (architecture: string, config: Record<string, unknown> = {}): ModelDefinition =>
  resolveModel({ ...SIZES, architectures: [architecture], ...config });

/** Name → shape of the weights of layer 0, and of the head. */
const shapes = (model: ModelDefinition): Record<string, readonly number[]> =>
  Object.fromEntries(
    listWeights(model)
      .stages.filter(({ name }) => name === 'layer 0' || name === 'head')
      .flatMap(({ weights }) => weights.map(({ name, shape }) => [name, shape])),
  );

/** Sines of position 1, which are nearly the frequencies. */
const sinesAtOne = (model: ModelDefinition, lengths: { sequenceLength: number; promptLength: number }) => {
  const [rope] = model.ropes;
  if (!rope) throw new Error('Expected a rotary embedding');
  const cos = new Float32Array(rope.rotaryDim / 2);
  const sin = new Float32Array(rope.rotaryDim / 2);
  rope.fill({ cos, sin, row: 0, start: 1, count: 1, ...lengths });
  return [...sin];
};

const refusal = (run: () => unknown): ModelError => {
  try {
    run();
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('Expected the config to be refused');
};

describe('Baichuan', () => {
  const baichuan = (config: Record<string, unknown>) => resolve('BaichuanForCausalLM', config);
  const large = { hidden_size: 5120, num_attention_heads: 40 };

  it('13B has ALiBi, told by its width or by the absence of max_position_embeddings', () => {
    expect(baichuan({ ...large, model_max_length: 4096 })).toMatchObject({
      ropes: [],
      sizes: { maxPositions: 4096 },
    });
    expect(baichuan({ model_max_length: 512 })).toMatchObject({ ropes: [], sizes: { maxPositions: 512 } });
    const small = { hidden_size: 4096, num_attention_heads: 32, max_position_embeddings: 4096 };
    expect(baichuan({ ...small, model_max_length: 4096 }).ropes).toHaveLength(1);
  });

  it('40 heads: 32 slopes of 2^(−8/32), and 8 between those of 64', () => {
    const slopes = alibiSlopes(40);
    expect([slopes[0], slopes[31], slopes[32], slopes[39]]).toEqual([
      2 ** -0.25,
      2 ** -8,
      2 ** -0.125,
      2 ** ((-8 * 15) / 64),
    ]);
    expect(alibiSlopes(8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((power) => 2 ** -power));
  });
});

describe('Qwen 1', () => {
  const qwen = (config: Record<string, unknown>) =>
    resolve('QWenLMHeadModel', { kv_channels: 16, seq_length: 16, ...config });

  it('stretches theta by the length of the prompt alone', () => {
    const model = qwen({ use_dynamic_ntk: true });
    // A prompt of 40: alpha = 2^ceil(log2(40 / 16) + 1) − 1 = 2^3 − 1 = 7; theta = 10000 · 7^(16 / 14).
    const theta = 10_000 * 7 ** (16 / 14);
    const expected = Array.from({ length: 8 }, (_, i) => Math.sin(theta ** (-i / 8)));
    sinesAtOne(model, { sequenceLength: 41, promptLength: 40 }).forEach((sine, i) =>
      expect(sine).toBeCloseTo(expected[i] ?? NaN, 6),
    );
    expect(model.ropes[0]?.variant(41, 16)).toBe(model.ropes[0]?.variant(2, 1));
    expect(model.ropes[0]?.variant(41, 17)).not.toBe(model.ropes[0]?.variant(41, 16));
    expect(model.ropes[0]?.restartsOnChange).toBe(true);
  });

  it('scales queries by the logarithm of the position beyond the trained length', () => {
    const [scale] = qwen({ use_logn_attn: true }).rowScales;
    // The 32nd row: log 32 / log 16 = 5 / 4.
    expect([0, 15, 31].map((position) => scale?.(position))).toEqual([1, 1, 1.25]);
    expect(qwen({ use_logn_attn: false }).rowScales).toEqual([]);
  });

  it('reads the names of the first configs', () => {
    const model = resolveModel({
      architectures: ['QWenLMHeadModel'],
      n_embd: 32,
      n_layer: 1,
      n_head: 2,
      ffn_hidden_size: 48,
      n_positions: 100,
      kv_channels: 16,
      vocab_size: 256,
    });
    expect(model.sizes).toMatchObject({ hiddenSize: 32, layers: 1, maxPositions: 100 });
    expect(shapes(model)['transformer.h.0.mlp.w1.weight']).toEqual([24, 32]);
  });
});

describe('InternLM', () => {
  it('reads rotary, which may ask for dynamic scaling', () => {
    const internlm = (rotary: object) =>
      resolve('InternLMForCausalLM', { max_position_embeddings: 16, rotary }).ropes[0];
    expect(internlm({ base: 10_000, type: 'dynamic' })?.variant(17, 1)).toBe('length 17');
    expect(internlm({ base: 10_000, type: 'origin' })?.variant(17, 1)).toBe('default');
    expect(refusal(() => internlm({ type: 'other' })).fields['field']).toBe('rotary.type');
  });
});

describe('Gemma 3 inside a multimodal checkpoint', () => {
  /** What the published gemma-3-4b-it says of its text part; everything else is a default. */
  const text_config = {
    hidden_size: 2560,
    intermediate_size: 10_240,
    model_type: 'gemma3_text',
    num_hidden_layers: 34,
    rope_scaling: { factor: 8, rope_type: 'linear' },
    sliding_window: 1024,
  };
  const model = resolveModel({
    architectures: ['Gemma3ForConditionalGeneration'],
    model_type: 'gemma3',
    text_config,
  });

  it('has the sizes that its card states, and tensors below language_model', () => {
    expect(model.family).toBe('gemma3');
    expect(model.sizes).toMatchObject({ layers: 34, vocabSize: 262_208, maxPositions: 131_072 });
    expect(model.sizes.cache[0]).toMatchObject({ kvHeads: 4, headDim: 256 });
    expect(model.embedding.name).toBe('language_model.model.embed_tokens.weight');
    expect(shapes(model)['language_model.model.layers.0.self_attn.q_proj.weight']).toEqual([2048, 2560]);
  });

  it('says that other parts are not read, and ignores their tensors', () => {
    expect(model.notices).toHaveLength(1);
    expect(model.ignores('vision_tower.vision_model.encoder.layers.0.layer_norm1.bias')).toBe(true);
    expect(model.ignores('multi_modal_projector.mm_soft_emb_norm.weight')).toBe(true);
    expect(model.ignores('language_model.lm_head.weight')).toBe(true);
    expect(model.ignores('language_model.model.layers.33.mlp.up_proj.weight')).toBe(false);
    expect(resolve('LlamaForCausalLM').notices).toEqual([]);
  });

  it('takes what stands beside the section where the section does not say it', () => {
    const architectures = ['Mistral3ForConditionalGeneration'];
    const untied = resolveModel({ architectures, text_config: SIZES_OF_MISTRAL });
    expect(shapes(untied)['language_model.lm_head.weight']).toEqual([256, 64]);
    const tied = resolveModel({ architectures, tie_word_embeddings: true, text_config: SIZES_OF_MISTRAL });
    expect(shapes(tied)['language_model.model.embed_tokens.weight']).toEqual([256, 64]);
    const quantization_config = { quant_method: 'hqq' };
    expect(
      refusal(() => resolveModel({ architectures, quantization_config, text_config: SIZES_OF_MISTRAL })).code,
    ).toBe('UNSUPPORTED_QUANTIZATION');
  });
});

const SIZES_OF_MISTRAL = { ...SIZES, num_key_value_heads: 2 };

describe('windows by layer', () => {
  const roped = (architecture: string, layers: number, config: object = {}) => {
    const model = resolve(architecture, {
      num_hidden_layers: layers,
      num_key_value_heads: 2,
      head_dim: 16,
      ...config,
    });
    return Array.from({ length: layers }, (_, layer) => windowAndTable(model, layer));
  };

  it('Gemma 3: five of six with the local rope, the sixth with the global one', () => {
    expect(roped('Gemma3ForCausalLM', 7, { sliding_window: 8 })).toEqual([
      ...Array(5).fill([8, 1]),
      [undefined, 0],
      [8, 1],
    ]);
  });

  it('Cohere2: three of four with rope, the fourth without', () => {
    expect(roped('Cohere2ForCausalLM', 5, { sliding_window: 8 })).toEqual([
      [8, 0],
      [8, 0],
      [8, 0],
      [undefined, undefined],
      [8, 0],
    ]);
  });

  it('Gemma 2: every other', () => {
    expect(roped('Gemma2ForCausalLM', 3, { sliding_window: 8 }).map(([window]) => window)).toEqual([
      8,
      undefined,
      8,
    ]);
  });
});

describe('Falcon', () => {
  const falcon = (config: Record<string, unknown>) => resolve('FalconForCausalLM', config);
  const prefix = 'transformer.h.0.';
  const qkv = `${prefix}self_attention.query_key_value.weight`;
  const norms = (model: ModelDefinition) =>
    Object.keys(shapes(model)).filter((name) => /^transformer\.h\..*(ln_|layernorm).*weight/.test(name));

  it('7B: one key head, one norm for both parts', () => {
    const model = falcon({ multi_query: true, parallel_attn: true });
    expect(shapes(model)[qkv]).toEqual([64 + 2 * 16, 64]);
    expect(norms(model)).toEqual([`${prefix}input_layernorm.weight`]);
  });

  it('40B: grouped key heads, a norm for each part', () => {
    const model = falcon({ new_decoder_architecture: true, num_kv_heads: 2 });
    expect(shapes(model)[qkv]).toEqual([64 + 2 * 2 * 16, 64]);
    expect(norms(model)).toEqual([`${prefix}ln_attn.weight`, `${prefix}ln_mlp.weight`]);
    const one = falcon({ new_decoder_architecture: true, num_kv_heads: 2, num_ln_in_parallel_attn: 1 });
    expect(norms(one)).toEqual([`${prefix}input_layernorm.weight`]);
  });

  it('reads the first configs, whose 40B model is told by n_head_kv', () => {
    const first = {
      hidden_size: 64,
      n_head: 4,
      n_layer: 1,
      vocab_size: 256,
      architectures: ['RWForCausalLM'],
    };
    expect(resolveModel({ ...first, multi_query: true }).sizes.cache[0]).toMatchObject({ kvHeads: 1 });
    expect(resolveModel({ ...first, n_head_kv: 2 }).sizes.cache[0]).toMatchObject({ kvHeads: 2 });
  });

  it('has ALiBi in place of rope, scaled with the scores', () => {
    const model = falcon({ alibi: true, multi_query: false, parallel_attn: false, bias: true });
    expect(model.ropes).toEqual([]);
    const rec = new Recorder();
    const hidden = rec.input(1, model.sizes.hiddenSize);
    model.recordLayer(rec, { hidden, rotary: [], rowScales: [] }, 0);
    const attention = rec.finish().commands.find(({ op }) => op === 'attention');
    // Four heads of 16: slopes 2^-2, 2^-4, 2^-6, 2^-8, divided by √16.
    expect(attention).toMatchObject({ alibiSlopes: [2 ** -4, 2 ** -6, 2 ** -8, 2 ** -10] });
  });
});

describe('other details', () => {
  it('Command R+ norms every head with a weight of its own', () => {
    const config = { use_qk_norm: true, num_key_value_heads: 2 };
    const { stages } = listWeights(resolve('CohereForCausalLM', config));
    expect(stages[0]?.weights.find(({ name }) => name.includes('k_norm'))).toEqual({
      name: 'model.layers.0.self_attn.k_norm.weight',
      shape: [2 * 16],
      source: { tensor: 'model.layers.0.self_attn.k_norm.weight', shape: [2, 16], start: 0 },
    });
  });

  it('GPT-NeoX ignores the masks that old checkpoints hold', () => {
    const model = resolve('GPTNeoXForCausalLM');
    expect(model.ignores('gpt_neox.layers.0.attention.bias')).toBe(true);
    expect(model.ignores('gpt_neox.layers.0.attention.masked_bias')).toBe(true);
    expect(model.ignores('gpt_neox.layers.0.attention.dense.bias')).toBe(false);
  });

  it('Gemma 2 has its caps when the config leaves them out, and none when it says null', () => {
    const caps = (config: object) => {
      const model = resolve('Gemma2ForCausalLM', { num_key_value_heads: 2, ...config });
      return [commands(model, 0), commands(model, 'head')].flat().flatMap((command) => {
        if (command.op === 'attention') return [command.softcap];
        return command.op === 'softcap' ? [command.cap] : [];
      });
    };
    expect(caps({})).toEqual([50, 30]);
    expect(caps({ attn_logit_softcapping: null, final_logit_softcapping: null })).toEqual([undefined]);
  });

  it.each([
    ['Gemma3ForCausalLM', 'use_bidirectional_attention', true],
    ['Starcoder2ForCausalLM', 'mlp_type', 'gated'],
    ['QWenLMHeadModel', 'scale_attn_weights', false],
    ['GraniteForCausalLM', 'final_logit_softcapping', 30],
    ['Olmo2ForCausalLM', 'clip_qkv', 8],
  ])('%s refuses %s = %p', (architecture, field, value) => {
    const config = { num_key_value_heads: 2, kv_channels: 16, [field]: value };
    expect(refusal(() => resolve(architecture, config))).toMatchObject({
      code: 'UNSUPPORTED_FIELD',
      fields: { field },
    });
  });

  it.each([
    ['GraniteForCausalLM', 'logits_scaling', 0],
    ['CohereForCausalLM', 'logit_scale', -1],
    ['Gemma2ForCausalLM', 'query_pre_attn_scalar', 0],
    ['Gemma2ForCausalLM', 'final_logit_softcapping', -30],
    ['QWenLMHeadModel', 'intermediate_size', 129],
    ['Gemma3ForCausalLM', 'sliding_window_pattern', 0],
  ])('%s refuses the impossible %s = %p', (architecture, field, value) => {
    const config = { num_key_value_heads: 2, kv_channels: 16, [field]: value };
    expect(refusal(() => resolve(architecture, config))).toMatchObject({
      code: 'INVALID_CONFIG',
      fields: { field },
    });
  });
});

/** The commands of one layer or the head, for one token. */
function commands(model: ModelDefinition, stage: number | 'head') {
  const rec = new Recorder();
  const state = {
    hidden: rec.input(1, model.sizes.hiddenSize),
    rotary: model.ropes.map(({ rotaryDim }) => ({
      cos: rec.input(1, rotaryDim / 2),
      sin: rec.input(1, rotaryDim / 2),
    })),
    rowScales: model.rowScales.map(() => rec.input(1, 1)),
  };
  if (stage === 'head') model.recordHead(rec, state.hidden);
  else model.recordLayer(rec, state, stage);
  return rec.finish().commands.map((command) => ({ ...command, state }));
}

/** The window of a layer, and which of the rotary embeddings it uses. */
function windowAndTable(model: ModelDefinition, layer: number): [number | undefined, number | undefined] {
  const recorded = commands(model, layer);
  const attention = recorded.find((command) => command.op === 'attention');
  const rope = recorded.find((command) => command.op === 'rope');
  const table = rope?.op === 'rope' ? rope.state.rotary.findIndex(({ cos }) => cos === rope.cos) : undefined;
  return [attention?.op === 'attention' ? attention.window : undefined, table];
}
