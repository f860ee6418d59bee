// GGUF tensors under the names and shapes of the Hugging Face checkpoint they were converted from. Fused experts become
// one tensor per expert, each a byte range of its own.

import type { StoredTensor } from '@airllm/checkpoint';
import type { Architecture, ExpertNames } from './architecture.js';
import { GgufError, shown } from './gguf-error.js';
import { MAX_LAYERS, MAX_NAMED_TENSORS } from './limits.js';

const MODEL_NAMES: Readonly<Record<string, string>> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output_norm.weight': 'model.norm.weight',
  'output.weight': 'lm_head.weight',
};

/** Of every architecture: stems within `blk.N.` → within `model.layers.N.`; `.weight` and `.bias` stay. */
const LAYER_NAMES: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};

/** Divisors of the rotary frequencies (Llama 3.1); they become part of the config. */
export const ROPE_FACTORS = 'rope_freqs.weight';

/**
 * @throws GgufError `UNSUPPORTED_TENSOR` for one that has no place in the architecture, `INVALID_TENSOR` for fused
 * experts of another shape or two tensors of one name
 */
export function renameTensors(
  tensors: readonly StoredTensor[],
  architecture: Architecture,
): ReadonlyMap<string, StoredTensor> {
  const renamed = new Map<string, StoredTensor>();
  for (const tensor of tensors) {
    if (tensor.name === ROPE_FACTORS) continue;
    for (const named of rename(tensor, architecture)) {
      if (renamed.has(named.name)) {
        throw invalid(tensor, `to be the only tensor that stands for ${named.name}`);
      }
      if (renamed.size >= MAX_NAMED_TENSORS)
        throw invalid(tensor, `to be among ${MAX_NAMED_TENSORS} at most`);
      renamed.set(named.name, named);
    }
  }
  return renamed;
}

function rename(tensor: StoredTensor, architecture: Architecture): StoredTensor[] {
  const { experts, layerNames, biases } = architecture;
  const modelName = own(MODEL_NAMES, tensor.name);
  if (modelName !== undefined) return [{ ...tensor, name: modelName }];
  const { layer, stem, expert, kind } =
    /^blk\.(?<layer>\d{1,4})\.(?<stem>[a-z_]+)(?:\.(?<expert>\d{1,5}))?\.(?<kind>weight|bias)$/.exec(
      tensor.name,
    )?.groups ?? {};
  if (layer === undefined || stem === undefined || kind === undefined || Number(layer) >= MAX_LAYERS) {
    throw unsupported(tensor, architecture);
  }
  if (kind === 'bias' && !biases.includes(stem)) throw unsupported(tensor, architecture);
  const prefix = `model.layers.${Number(layer)}.`;
  const expertStem = experts && expertStemOf(stem, { experts, isSingle: expert !== undefined });
  if (expertStem !== undefined) {
    const stemFor = (index: number) => `${prefix}${expertStem.replace('{expert}', String(index))}.${kind}`;
    if (expert !== undefined) return [{ ...tensor, name: stemFor(Number(expert)) }];
    return stem === 'ffn_gate_inp' ? [{ ...tensor, name: stemFor(0) }] : cutExperts(tensor, stemFor);
  }
  const layerStem = expert === undefined ? own({ ...LAYER_NAMES, ...layerNames }, stem) : undefined;
  if (layerStem === undefined) throw unsupported(tensor, architecture);
  // A matrix of one row in the original; GGUF has a vector.
  const isRow = stem === 'ffn_gate_inp_shexp' && tensor.shape.length === 1;
  const shape = isRow ? [1, ...tensor.shape] : tensor.shape;
  return [{ ...tensor, name: `${prefix}${layerStem}.${kind}`, shape }];
}

/** Fused: `ffn_gate_exps`; files of the first months have `ffn_gate.E` for every expert. */
function expertStemOf(
  stem: string,
  { experts, isSingle }: { experts: ExpertNames; isSingle: boolean },
): string | undefined {
  const stems: Readonly<Record<string, string>> = isSingle
    ? { ffn_gate: experts.gate, ffn_up: experts.up, ffn_down: experts.down }
    : {
        ffn_gate_inp: experts.router,
        ffn_gate_exps: experts.gate,
        ffn_up_exps: experts.up,
        ffn_down_exps: experts.down,
      };
  return own(stems, stem);
}

/** [experts, out, in] → one [out, in] each. */
function cutExperts(tensor: StoredTensor, nameOf: (expert: number) => string): StoredTensor[] {
  const [count, rows, cols, ...others] = tensor.shape;
  if (count === undefined || rows === undefined || cols === undefined || others.length > 0) {
    throw invalid(tensor, `to have three dimensions but it has [${tensor.shape.join(', ')}]`);
  }
  if (count > MAX_NAMED_TENSORS) throw invalid(tensor, `to hold at most ${MAX_NAMED_TENSORS} experts`);
  const byteLength = tensor.byteLength / count;
  return Array.from({ length: count }, (_, expert) => ({
    ...tensor,
    name: nameOf(expert),
    shape: [rows, cols],
    byteOffset: tensor.byteOffset + expert * byteLength,
    byteLength,
  }));
}

function own(names: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(names, name) ? names[name] : undefined;
}

function unsupported(tensor: StoredTensor, architecture: Architecture): GgufError {
  return new GgufError(
    'UNSUPPORTED_TENSOR',
    `Expected only tensors that are known here of a ${architecture.name} model but ${tensor.path} has ${shown(tensor.name)}.`,
    { fields: { tensor: tensor.name, path: tensor.path } },
  );
}

function invalid(tensor: StoredTensor, expected: string): GgufError {
  return new GgufError('INVALID_TENSOR', `Expected ${shown(tensor.name)} in ${tensor.path} ${expected}.`, {
    fields: { tensor: tensor.name, path: tensor.path },
  });
}
