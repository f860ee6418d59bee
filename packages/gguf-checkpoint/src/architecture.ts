// The architectures that can be read, as data: which Hugging Face model a file is, what its experts are called there,
// and what llama.cpp assumes without writing it down.
// Source: ggml-org/llama.cpp, src/llama-arch.cpp, src/llama-model.cpp and convert_hf_to_gguf.py.

import { GgufError, shown } from './gguf-error.js';
import type { Metadata } from './metadata.js';

/** Stems of expert tensors after `model.layers.N.`; `{expert}` stands for the number. */
export interface ExpertNames {
  readonly router: string;
  readonly gate: string;
  readonly up: string;
  readonly down: string;
}

export interface Architecture {
  /** `general.architecture`, and the prefix of its metadata keys. */
  readonly name: string;
  /** `architectures` and `model_type` of config.json. */
  readonly className: string;
  readonly modelType: string;
  /**
   * Rotation takes neighbouring columns in pairs: the converter reorders the rows of q and k so. Otherwise columns
   * pair with those half a head further, as everywhere in transformers.
   */
  readonly ropeInterleaved: boolean;
  readonly experts: ExpertNames | undefined;
  /** Layer tensors beyond those that all have: stem within `blk.N.` → within `model.layers.N.` */
  readonly layerNames: Readonly<Record<string, string>>;
  /** Stems that may have a bias. */
  readonly biases: readonly string[];
  /** Config fields that are always so. */
  readonly fixed: Readonly<Record<string, unknown>>;
}

const MIXTRAL_EXPERTS: ExpertNames = {
  router: 'block_sparse_moe.gate',
  gate: 'block_sparse_moe.experts.{expert}.w1',
  up: 'block_sparse_moe.experts.{expert}.w3',
  down: 'block_sparse_moe.experts.{expert}.w2',
};

const QWEN_EXPERTS: ExpertNames = {
  router: 'mlp.gate',
  gate: 'mlp.experts.{expert}.gate_proj',
  up: 'mlp.experts.{expert}.up_proj',
  down: 'mlp.experts.{expert}.down_proj',
};

const QK_NORMS = { attn_q_norm: 'self_attn.q_norm', attn_k_norm: 'self_attn.k_norm' };
const SHARED_EXPERT = {
  ffn_gate_shexp: 'mlp.shared_expert.gate_proj',
  ffn_up_shexp: 'mlp.shared_expert.up_proj',
  ffn_down_shexp: 'mlp.shared_expert.down_proj',
  ffn_gate_inp_shexp: 'mlp.shared_expert_gate',
};
const QKV = ['attn_q', 'attn_k', 'attn_v'];
const ATTENTION = [...QKV, 'attn_output'];

const QWEN2 = { ropeInterleaved: false, experts: undefined, layerNames: {}, biases: QKV, fixed: {} };
const QWEN3 = { ...QWEN2, layerNames: QK_NORMS, biases: ATTENTION };

const QWEN: readonly Architecture[] = [
  { ...QWEN2, name: 'qwen2', className: 'Qwen2ForCausalLM', modelType: 'qwen2' },
  { ...QWEN3, name: 'qwen3', className: 'Qwen3ForCausalLM', modelType: 'qwen3' },
  {
    ...QWEN2,
    name: 'qwen2moe',
    className: 'Qwen2MoeForCausalLM',
    modelType: 'qwen2_moe',
    experts: QWEN_EXPERTS,
    layerNames: SHARED_EXPERT,
    fixed: { norm_topk_prob: false },
  },
  {
    ...QWEN3,
    name: 'qwen3moe',
    className: 'Qwen3MoeForCausalLM',
    modelType: 'qwen3_moe',
    experts: QWEN_EXPERTS,
    fixed: { norm_topk_prob: true },
  },
];

export const SUPPORTED_ARCHITECTURES = ['llama', ...QWEN.map(({ name }) => name)];

/**
 * `llama` stands for Llama, Mistral and Mixtral: the keys tell which.
 *
 * @throws GgufError `UNSUPPORTED_ARCHITECTURE`
 */
export function findArchitecture(metadata: Metadata): Architecture {
  const name = metadata.string('general.architecture');
  if (name === 'llama') return llama(metadata);
  const found = QWEN.find((architecture) => architecture.name === name);
  if (found) return found;
  throw new GgufError(
    'UNSUPPORTED_ARCHITECTURE',
    `Expected one of the architectures ${SUPPORTED_ARCHITECTURES.join(', ')} but the file has ${shown(name)}. Use the model's safetensors checkpoint`,
    { fields: { architecture: name, supported: SUPPORTED_ARCHITECTURES } },
  );
}

function llama(metadata: Metadata): Architecture {
  const hasExperts = metadata.integer('llama.expert_count', { min: 0, max: 2 ** 16 }, 0) > 0;
  const hasWindow = metadata.has('llama.attention.sliding_window');
  const model = hasExperts ? 'Mixtral' : hasWindow ? 'Mistral' : 'Llama';
  return {
    name: 'llama',
    className: `${model}ForCausalLM`,
    modelType: model.toLowerCase(),
    ropeInterleaved: true,
    experts: hasExperts ? MIXTRAL_EXPERTS : undefined,
    layerNames: {},
    biases: [...ATTENTION, 'ffn_gate', 'ffn_up', 'ffn_down'],
    fixed: {},
  };
}
