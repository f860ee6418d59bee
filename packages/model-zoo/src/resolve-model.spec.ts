import { AirllmError } from '@airllm/errors';
import { ConfigReader } from './config/config-reader.js';
import { ModelError } from './errors.js';
import { findFamily } from './find-family.js';
import { resolveModel } from './resolve-model.js';
import { supportedModels } from './supported-models.js';

/** The least that a Llama config must say. */
const LLAMA = {
  architectures: ['LlamaForCausalLM'],
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 8,
  vocab_size: 256,
};

const CHATGLM = {
  architectures: ['ChatGLMModel'],
  hidden_size: 64,
  ffn_hidden_size: 112,
  num_layers: 2,
  num_attention_heads: 4,
  multi_query_group_num: 2,
  kv_channels: 16,
  padded_vocab_size: 256,
  seq_length: 128,
};

/** The error of a config that must be refused. */
function refusal(config: unknown): ModelError {
  try {
    resolveModel(config);
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('Expected the config to be refused');
}

describe('detection', () => {
  it('goes by the first architecture, then by model_type', () => {
    expect(resolveModel({ ...LLAMA, model_type: 'mistral' }).family).toBe('llama');
    expect(resolveModel({ ...LLAMA, architectures: undefined, model_type: 'mistral' }).family).toBe(
      'mistral',
    );
    expect(
      resolveModel({ ...LLAMA, num_key_value_heads: 8, architectures: ['MyOwn'], model_type: 'qwen2' })
        .family,
    ).toBe('qwen2');
  });

  it('finds every family by each of its names, and no two under one', () => {
    const names = supportedModels().flatMap(({ family, architectures, modelTypes }) => [
      ...architectures.map((name) => ({ family, name, config: { architectures: [name] } })),
      ...modelTypes.map((name) => ({ family, name, config: { architectures: [], model_type: name } })),
    ]);
    expect(new Set(names.map(({ name }) => name)).size).toBe(names.length);
    for (const { family, config } of names) {
      expect(findFamily(new ConfigReader(config)).family.name).toBe(family);
    }
  });

  it('refuses an unknown architecture by name, with what there is and where to add it', () => {
    const error = refusal({ architectures: ['RwkvForCausalLM'], model_type: 'rwkv' });
    expect(error.code).toBe('UNSUPPORTED_ARCHITECTURE');
    for (const part of ['RwkvForCausalLM', 'LlamaForCausalLM', 'ChatGLMModel', 'docs/add-a-model.md']) {
      expect(error.message).toContain(part);
    }
    expect(AirllmError.isInstance(error)).toBe(true);
    expect(refusal({}).code).toBe('UNSUPPORTED_ARCHITECTURE');
    expect(refusal({ architectures: 'LlamaForCausalLM' }).code).toBe('UNSUPPORTED_ARCHITECTURE');
    expect(refusal({ architectures: ['__proto__'], model_type: 'constructor' }).code).toBe(
      'UNSUPPORTED_ARCHITECTURE',
    );
  });

  it.each([null, undefined, 7, 'text', [LLAMA]])('refuses %p as a config', (config) => {
    expect(refusal(config).code).toBe('INVALID_CONFIG');
  });
});

describe('sizes', () => {
  it('takes defaults from transformers for what a config leaves out', () => {
    expect(resolveModel(LLAMA).sizes).toMatchObject({
      maxPositions: 2048,
      layers: 2,
      cache: [{ kvHeads: 8, headDim: 8 }, {}],
    });
    expect(
      resolveModel({ ...LLAMA, architectures: ['Qwen3ForCausalLM'], num_attention_heads: 32 }).sizes,
    ).toMatchObject({
      maxPositions: 32_768,
      cache: [{ kvHeads: 32, headDim: 128 }, {}],
    });
    expect(resolveModel({ ...LLAMA, architectures: ['MistralForCausalLM'] }).sizes.cache[0]).toEqual({
      kind: 'attention',
      kvHeads: 8,
      headDim: 8,
      keysOnly: false,
    });
  });

  it('counts the scaling of rope in the longest sequence', () => {
    const longest = (rope_scaling: object) =>
      resolveModel({ ...LLAMA, max_position_embeddings: 100, rope_scaling }).sizes.maxPositions;
    expect(longest({ type: 'linear', factor: 4 })).toBe(400);
    expect(longest({ type: 'yarn', factor: 4, original_max_position_embeddings: 100 })).toBe(400);
    expect(longest({ type: 'yarn', factor: 4, original_max_position_embeddings: 25 })).toBe(100);
    expect(longest({ type: 'dynamic', factor: 2 })).toBeGreaterThan(1_000_000);
  });
});

describe('hostile and impossible values', () => {
  it.each([
    ['hidden_size', undefined],
    ['hidden_size', 0],
    ['hidden_size', 64.5],
    ['hidden_size', '64'],
    ['hidden_size', 2 ** 53],
    ['hidden_size', 68],
    ['num_hidden_layers', -1],
    ['num_hidden_layers', 1e9],
    ['num_attention_heads', NaN],
    ['num_key_value_heads', 3],
    ['num_key_value_heads', 16],
    ['head_dim', 7],
    ['head_dim', 1e6],
    ['vocab_size', null],
    ['intermediate_size', []],
    ['rms_norm_eps', -1e-5],
    ['rms_norm_eps', Infinity],
    ['rope_theta', 0],
    ['rope_theta', 1],
    ['max_position_embeddings', 2 ** 40],
    ['tie_word_embeddings', 'yes'],
    ['attention_bias', 1],
    ['partial_rotary_factor', 0],
    ['partial_rotary_factor', 2],
    ['rope_scaling', 'linear'],
  ])('%s = %p is refused by name', (field, value) => {
    const error = refusal({ ...LLAMA, [field]: value });
    expect(error.code).toBe('INVALID_CONFIG');
    expect(error.message).toMatch(/Expected .* but /);
    expect(error.message).toContain(field === 'rope_scaling' ? 'rope_scaling' : field);
  });

  it('bounds the experts of all layers together', () => {
    const mixtral = { ...LLAMA, architectures: ['MixtralForCausalLM'], num_local_experts: 1024 };
    expect(refusal({ ...mixtral, num_hidden_layers: 1000 }).fields['field']).toBe('num_local_experts');
    expect(refusal({ ...mixtral, num_local_experts: 4, num_experts_per_tok: 5 }).fields['field']).toBe(
      'num_experts_per_tok',
    );
  });

  it('shows a long value in a short message', () => {
    expect(refusal({ ...LLAMA, hidden_act: 'x'.repeat(1e6) }).message.length).toBeLessThan(500);
    expect(refusal({ ...LLAMA, vocab_size: Array(1e5).fill(1) }).message.length).toBeLessThan(500);
  });
});

describe('what is not implemented is refused by name', () => {
  it.each([
    ['UNSUPPORTED_ACTIVATION', 'hidden_act', 'relu2'],
    ['UNSUPPORTED_QUANTIZATION', 'quantization_config', { quant_method: 'hqq', bits: 4 }],
    ['UNSUPPORTED_FIELD', 'final_logit_softcapping', 30],
    ['UNSUPPORTED_FIELD', 'residual_multiplier', 0.22],
    ['UNSUPPORTED_FIELD', 'use_mrope', true],
    ['UNSUPPORTED_FIELD', 'lm_head_bias', true],
    ['UNSUPPORTED_FIELD', 'apply_residual_connection_post_layernorm', true],
    ['UNSUPPORTED_FIELD', 'use_parallel_block', false],
  ])('%s: %s = %p', (code, field, value) => {
    const error = refusal({ ...LLAMA, [field]: value });
    expect(error).toMatchObject({ code, fields: { field } });
    expect(error.message).toContain(field);
  });

  it('names the method of quantized weights', () => {
    expect(refusal({ ...LLAMA, quantization_config: { quant_method: 'hqq' } }).message).toContain('hqq');
    expect(refusal({ ...CHATGLM, quantization_bit: 4 }).code).toBe('UNSUPPORTED_QUANTIZATION');
  });

  it('reads FP8 as DeepSeek-V3 has it, and no other kind of it', () => {
    const fp8 = {
      quant_method: 'fp8',
      fmt: 'e4m3',
      weight_block_size: [128, 128],
      activation_scheme: 'dynamic',
    };
    expect(resolveModel({ ...LLAMA, quantization_config: fp8 }).family).toBe('llama');
    expect(resolveModel({ ...LLAMA, quantization_config: { quant_method: 'fp8' } }).family).toBe('llama');
    for (const other of [{ fmt: 'e5m2' }, { weight_block_size: [64, 64] }, { scale_fmt: 'ue8m0' }]) {
      const [field] = Object.keys(other);
      expect(refusal({ ...LLAMA, quantization_config: { ...fp8, ...other } })).toMatchObject({
        code: 'UNSUPPORTED_QUANTIZATION',
        fields: { field: `quantization_config.${field}` },
      });
    }
  });

  /** As llm-compressor, ModelOpt and Meta write them. */
  const weights = { num_bits: 8, type: 'float', strategy: 'channel', dynamic: false, symmetric: true };
  const groupsOf = (changes: Record<string, unknown>) => ({
    group_0: {
      targets: ['Linear'],
      input_activations: { dynamic: true },
      weights: { ...weights, ...changes },
    },
  });
  const FLOAT8: Record<string, Record<string, unknown>> = {
    'compressed-tensors': {
      quant_method: 'compressed-tensors',
      format: 'float-quantized',
      config_groups: groupsOf({ observer: 'minmax', group_size: null }),
      ignore: ['lm_head'],
      kv_cache_scheme: null,
      sparsity_config: {},
    },
    modelopt: {
      quant_method: 'modelopt',
      quant_algo: 'FP8',
      config_groups: groupsOf({ strategy: 'tensor' }),
      kv_cache_scheme: 'FP8',
    },
    fbgemm_fp8: {
      quant_method: 'fbgemm_fp8',
      activation_scale_ub: 1200,
      modules_to_not_convert: ['lm_head'],
    },
  };

  it.each(Object.entries(FLOAT8))('reads FP8 with a scale per row or tensor of %s', (_, section) => {
    const model = resolveModel({ ...LLAMA, quantization_config: section });
    for (const name of ['q_proj.input_scale', 'q_proj.input_scale_ub', 'k_proj.k_scale'])
      expect(model.ignores(`model.layers.0.self_attn.${name}`)).toBe(true);
  });

  it('names the format of a quantization before its details', () => {
    const nvfp4 = { config_groups: groupsOf({ num_bits: 4 }), quant_algo: 'NVFP4' };
    expect(refusal({ ...LLAMA, quantization_config: nvfp4 })).toMatchObject({
      fields: { field: 'quantization_config.quant_algo', found: 'NVFP4' },
    });
  });

  it('knows ModelOpt by its algorithm', () => {
    const { quant_method, ...unnamed } = FLOAT8['modelopt'] ?? {};
    expect(quant_method).toBe('modelopt');
    expect(resolveModel({ ...LLAMA, quantization_config: unnamed }).family).toBe('llama');
  });

  it.each([
    ['compressed-tensors', 'format', 'pack-quantized'],
    ['compressed-tensors', 'format', undefined],
    ['compressed-tensors', 'config_groups', {}],
    ['compressed-tensors', 'config_groups', groupsOf({ num_bits: 4 })],
    ['compressed-tensors', 'config_groups', groupsOf({ type: 'int' })],
    ['compressed-tensors', 'config_groups', groupsOf({ strategy: 'block', block_structure: [128, 128] })],
    ['compressed-tensors', 'config_groups', groupsOf({ symmetric: false })],
    ['compressed-tensors', 'sparsity_config', { format: 'sparse-24-bitmask' }],
    ['compressed-tensors', 'transform_config', { config_groups: { R1: {} } }],
    ['modelopt', 'quant_algo', 'NVFP4'],
    ['fbgemm_fp8', 'rotation', 'hadamard'],
    ['fbgemm_fp8', '__defineGetter__', 1],
  ])('refuses %s with %s %j', (method, field, value) => {
    const quantization_config = { ...FLOAT8[method], [field]: value };
    expect(refusal({ ...LLAMA, quantization_config })).toMatchObject({
      code: 'UNSUPPORTED_QUANTIZATION',
      fields: { field: `quantization_config.${field}` },
    });
  });

  /** As AutoGPTQ, AutoAWQ and transformers write them. */
  const PACKED: Record<string, Record<string, unknown>> = {
    gptq: { quant_method: 'gptq', bits: 4, group_size: 128, desc_act: false, sym: true, damp_percent: 0.01 },
    awq: { quant_method: 'awq', bits: 4, group_size: 128, version: 'gemm', zero_point: true },
    bitsandbytes: {
      quant_method: 'bitsandbytes',
      load_in_4bit: true,
      load_in_8bit: false,
      bnb_4bit_quant_type: 'nf4',
      bnb_4bit_quant_storage: 'uint8',
      bnb_4bit_compute_dtype: 'bfloat16',
      llm_int8_skip_modules: null,
    },
  };

  it.each(Object.entries(PACKED))('reads 4-bit weights of %s', (_, quantization_config) => {
    expect(resolveModel({ ...LLAMA, quantization_config }).family).toBe('llama');
  });

  it.each([
    ['gptq', 'bits', 8],
    ['gptq', 'bits', undefined],
    ['gptq', 'checkpoint_format', 'gptq_v2'],
    ['gptq', 'dynamic', { '-:lm_head': {} }],
    ['gptq', 'rotation', 'hadamard'],
    ['awq', 'version', 'gemv'],
    ['awq', 'zero_point', false],
    ['bitsandbytes', 'load_in_8bit', true],
    ['bitsandbytes', 'load_in_4bit', undefined],
    ['bitsandbytes', 'bnb_4bit_quant_storage', 'bfloat16'],
  ])('refuses %s with %s %p', (method, field, value) => {
    const quantization_config = { ...PACKED[method], [field]: value };
    expect(refusal({ ...LLAMA, quantization_config })).toMatchObject({
      code: 'UNSUPPORTED_QUANTIZATION',
      fields: { field: `quantization_config.${field}` },
    });
  });

  it('accepts the values under which such a field changes nothing', () => {
    const config = {
      ...LLAMA,
      residual_multiplier: 1,
      use_mrope: false,
      final_logit_softcapping: null,
      pretraining_tp: 2,
    };
    expect(resolveModel(config).family).toBe('llama');
    expect(resolveModel({ ...CHATGLM, quantization_bit: 0, pre_seq_len: null }).family).toBe('chatglm');
  });

  it.each([
    ['rmsnorm', false],
    ['post_layer_norm', false],
    ['apply_residual_connection_post_layernorm', true],
    ['multi_query_attention', false],
    ['pre_seq_len', 128],
    ['position_encoding_2d', true],
  ])('ChatGLM with %s = %p', (field, value) => {
    expect(refusal({ ...CHATGLM, [field]: value })).toMatchObject({
      code: 'UNSUPPORTED_FIELD',
      fields: { field },
    });
  });
});

describe('ignores', () => {
  it('rotary buffers, prediction heads and layers past the last', () => {
    const model = resolveModel(LLAMA);
    for (const name of [
      'model.layers.0.self_attn.rotary_emb.inv_freq',
      'mtp.fc.weight',
      'model.layers.2.mlp.up_proj.weight',
    ]) {
      expect(model.ignores(name)).toBe(true);
    }
    for (const name of [
      'model.layers.1.mlp.up_proj.weight',
      'lm_head.weight',
      'model.layers.x.weight',
      'other',
    ]) {
      expect(model.ignores(name)).toBe(false);
    }
  });

  it('a stored head that is tied to the embedding', () => {
    expect(resolveModel({ ...LLAMA, tie_word_embeddings: true }).ignores('lm_head.weight')).toBe(true);
  });
});
