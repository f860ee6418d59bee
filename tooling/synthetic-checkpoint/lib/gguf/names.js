// Which GGUF tensor each tensor of a Llama or Mixtral checkpoint becomes, as llama.cpp's converter names them: expert
// matrices of a layer are stacked in one tensor, and rows of queries and keys change places, because GGUF's llama
// architecture rotates neighbouring columns where transformers rotates halves.

const MODEL_NAMES = {
  'model.embed_tokens': 'token_embd',
  'model.norm': 'output_norm',
  lm_head: 'output',
};
const LAYER_NAMES = {
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
  input_layernorm: 'attn_norm',
  post_attention_layernorm: 'ffn_norm',
  'block_sparse_moe.gate': 'ffn_gate_inp',
};
const EXPERT_NAMES = { w1: 'ffn_gate_exps', w2: 'ffn_down_exps', w3: 'ffn_up_exps' };

/**
 * `name` as in the checkpoint → { name, expert?, rotatedHeads? }: the stack's index of an expert's matrix, and the number of
 * heads whose rows {@link rotaryRowOrder} reorders.
 */
export function ggufPlace(name, { heads, kvHeads }) {
  const module = name.replace(/\.weight$/, '');
  if (MODEL_NAMES[module]) return { name: `${MODEL_NAMES[module]}.weight` };
  const { layer, stem, expert, matrix } =
    /^model\.layers\.(?<layer>\d+)\.(?<stem>block_sparse_moe\.experts\.(?<expert>\d+)\.(?<matrix>w[123])|.+)$/.exec(
      module,
    )?.groups ?? {};
  if (expert !== undefined)
    return { name: `blk.${layer}.${EXPERT_NAMES[matrix]}.weight`, expert: Number(expert) };
  if (!LAYER_NAMES[stem]) {
    throw new RangeError(`Expected a tensor of a Llama or Mixtral checkpoint but found ${name}`);
  }
  const rotatedHeads = { 'self_attn.q_proj': heads, 'self_attn.k_proj': kvHeads }[stem];
  return { name: `blk.${layer}.${LAYER_NAMES[stem]}.weight`, rotatedHeads };
}

/** Row `i` of the GGUF tensor is row `order[i]` of the checkpoint's: per head 0, d/2, 1, d/2 + 1, … */
export function rotaryRowOrder(rows, heads) {
  const headDim = rows / heads;
  return Array.from({ length: rows }, (_, row) => {
    const inHead = row % headDim;
    return row - inHead + (inHead % 2) * (headDim / 2) + (inHead >> 1);
  });
}
