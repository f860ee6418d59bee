// Where a family keeps its weights. Names are stems: `.weight` and `.bias` are added where they are used.

/**
 * Names of the matrices into an MLP: two apart, or one matrix whose rows are gate, then up, or one `plain` matrix
 * without a gate.
 */
export type GateUpNames =
  { readonly gate: string; readonly up: string } | { readonly fused: string } | { readonly plain: string };

/**
 * Names of the query, key and value projections: apart, or one matrix whose rows are q, then k, then v, or one
 * `grouped` by key head: its query heads, the key, the value.
 */
export type QkvNames =
  | { readonly q: string; readonly k: string; readonly v: string }
  | { readonly fused: string }
  | { readonly grouped: string };

/** Stems outside the layers, and the prefix of a layer. */
export interface ModelNames {
  readonly embedding: string;
  readonly finalNorm: string;
  readonly head: string;
  /** Prefix of a layer, `{layer}` standing for its number. */
  readonly layer: string;
}

/**
 * Stems of a layer's norms, each absent where there is none. In a parallel layer without `beforeFeedForward`, that
 * part reads what the mixer reads.
 */
export interface NormNames {
  readonly beforeMixer?: string;
  readonly afterMixer?: string;
  readonly beforeFeedForward?: string;
  readonly afterFeedForward?: string;
}

/** The names that most checkpoints use; families replace what differs. */
export const MODEL_NAMES: ModelNames = {
  embedding: 'model.embed_tokens',
  finalNorm: 'model.norm',
  head: 'lm_head',
  layer: 'model.layers.{layer}.',
};

export const NORM_NAMES: NormNames = {
  beforeMixer: 'input_layernorm',
  beforeFeedForward: 'post_attention_layernorm',
};

export const ATTENTION_NAMES = {
  qkv: { q: 'self_attn.q_proj', k: 'self_attn.k_proj', v: 'self_attn.v_proj' },
  o: 'self_attn.o_proj',
  qNorm: 'self_attn.q_norm',
  kNorm: 'self_attn.k_norm',
  sinks: 'self_attn.sinks',
} as const;

export const MLP_NAMES = {
  input: { gate: 'mlp.gate_proj', up: 'mlp.up_proj' },
  down: 'mlp.down_proj',
} as const;
