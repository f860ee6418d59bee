// Where a family keeps its weights. Names are stems: `.weight` and `.bias` are added where they are used.

/** Names of a gated MLP's projections: two inputs apart, or one matrix whose rows are gate, then up. */
export type GateUpNames = { readonly gate: string; readonly up: string } | { readonly fused: string };

/** Names of the query, key and value projections: apart, or one matrix whose rows are q, then k, then v. */
export type QkvNames =
  { readonly q: string; readonly k: string; readonly v: string } | { readonly fused: string };

/** A table of stems. Those after `layer` are relative to it; a name whose part a config lacks is not used. */
export interface TensorNames {
  readonly embedding: string;
  readonly finalNorm: string;
  readonly head: string;
  /** Prefix of a layer, `{layer}` standing for its number. */
  readonly layer: string;
  readonly inputNorm: string;
  readonly qkv: QkvNames;
  readonly qNorm: string;
  readonly kNorm: string;
  readonly o: string;
  readonly postAttentionNorm: string;
  readonly gateUp: GateUpNames;
  readonly down: string;
  readonly router: string;
  /** `{expert}` stands for the expert's number. */
  readonly expert: { readonly gate: string; readonly up: string; readonly down: string };
}

/** The names that most checkpoints use; families spread this table and replace what differs. */
export const LLAMA_NAMES: TensorNames = {
  embedding: 'model.embed_tokens',
  finalNorm: 'model.norm',
  head: 'lm_head',
  layer: 'model.layers.{layer}.',
  inputNorm: 'input_layernorm',
  qkv: { q: 'self_attn.q_proj', k: 'self_attn.k_proj', v: 'self_attn.v_proj' },
  qNorm: 'self_attn.q_norm',
  kNorm: 'self_attn.k_norm',
  o: 'self_attn.o_proj',
  postAttentionNorm: 'post_attention_layernorm',
  gateUp: { gate: 'mlp.gate_proj', up: 'mlp.up_proj' },
  down: 'mlp.down_proj',
  router: 'mlp.gate',
  expert: {
    gate: 'mlp.experts.{expert}.gate_proj',
    up: 'mlp.experts.{expert}.up_proj',
    down: 'mlp.experts.{expert}.down_proj',
  },
};
