// The keys of a GGUF file of the llama architecture, and a vocabulary that stands for none: special tokens, the 256 bytes,
// then numbered words. Engines want one before they take token ids.

/** Value types of the format. */
export const TYPE = { u32: 4, i32: 5, f32: 6, string: 8, array: 9 };
/** `general.file_type` by tensor type. */
const FILE_TYPES = { bf16: 32, q8_0: 7 };
const TOKEN = { normal: 1, unknown: 2, control: 3, byte: 6 };

/** [key, type, value], lists as [key, array, { of, items }]. `config` is the checkpoint's config.json. */
export function ggufMetadata(config, type) {
  const u32 = (key, value) => [key, TYPE.u32, value];
  const experts = config.num_local_experts ?? 0;
  return [
    ['general.architecture', TYPE.string, 'llama'],
    ['general.name', TYPE.string, 'synthetic'],
    u32('general.file_type', FILE_TYPES[type]),
    u32('general.alignment', 32),
    u32('llama.block_count', config.num_hidden_layers),
    u32('llama.context_length', config.max_position_embeddings),
    u32('llama.embedding_length', config.hidden_size),
    u32('llama.feed_forward_length', config.intermediate_size),
    u32('llama.attention.head_count', config.num_attention_heads),
    u32('llama.attention.head_count_kv', config.num_key_value_heads),
    u32('llama.attention.key_length', config.head_dim),
    u32('llama.attention.value_length', config.head_dim),
    u32('llama.rope.dimension_count', config.head_dim),
    ['llama.rope.freq_base', TYPE.f32, config.rope_theta],
    ['llama.attention.layer_norm_rms_epsilon', TYPE.f32, config.rms_norm_eps],
    u32('llama.vocab_size', config.vocab_size),
    ...(experts > 0
      ? [u32('llama.expert_count', experts), u32('llama.expert_used_count', config.num_experts_per_tok)]
      : []),
    ...vocabulary(config),
  ];
}

function vocabulary({ vocab_size: size, bos_token_id: bos, eos_token_id: eos }) {
  const special = ['<unk>', '<s>', '</s>'];
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
  );
  const tokens = Array.from(
    { length: size },
    (_, id) => special[id] ?? bytes[id - special.length] ?? `▁w${id}`,
  );
  const types = tokens.map((_, id) => {
    if (id === 0) return TOKEN.unknown;
    if (id < special.length) return TOKEN.control;
    return id < special.length + bytes.length ? TOKEN.byte : TOKEN.normal;
  });
  const list = (of, items) => ({ of, items });
  return [
    ['tokenizer.ggml.model', TYPE.string, 'llama'],
    ['tokenizer.ggml.tokens', TYPE.array, list(TYPE.string, tokens)],
    [
      'tokenizer.ggml.scores',
      TYPE.array,
      list(
        TYPE.f32,
        tokens.map((_, id) => -id),
      ),
    ],
    ['tokenizer.ggml.token_type', TYPE.array, list(TYPE.i32, types)],
    ['tokenizer.ggml.bos_token_id', TYPE.u32, bos],
    ['tokenizer.ggml.eos_token_id', TYPE.u32, eos],
  ];
}
