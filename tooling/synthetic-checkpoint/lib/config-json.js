// config.json and generation_config.json in the dialect of most published checkpoints (rope_theta at the top level).

const ARCHITECTURES = {
  llama: 'LlamaForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
  mixtral: 'MixtralForCausalLM',
};
const TORCH_DTYPES = { bf16: 'bfloat16', f16: 'float16', f32: 'float32' };
const BOS_TOKEN_ID = 1;
const EOS_TOKEN_ID = 2;

/** The model's config; `shape` is resolved. */
export function createConfig(shape, dtype) {
  return {
    architectures: [ARCHITECTURES[shape.family]],
    model_type: shape.family,
    hidden_size: shape.hiddenSize,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    head_dim: shape.headDim,
    intermediate_size: shape.intermediateSize,
    vocab_size: shape.vocabSize,
    ...(shape.family === 'mixtral' && {
      num_local_experts: shape.experts,
      num_experts_per_tok: shape.topK,
    }),
    max_position_embeddings: 8192,
    rope_theta: 500000,
    rms_norm_eps: 1e-5,
    hidden_act: 'silu',
    attention_bias: false,
    tie_word_embeddings: shape.tied,
    bos_token_id: BOS_TOKEN_ID,
    eos_token_id: EOS_TOKEN_ID,
    torch_dtype: TORCH_DTYPES[dtype],
  };
}

export function createGenerationConfig() {
  return { bos_token_id: BOS_TOKEN_ID, eos_token_id: EOS_TOKEN_ID, do_sample: false };
}
