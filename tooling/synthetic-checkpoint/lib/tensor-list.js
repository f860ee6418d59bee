// Names and shapes of a model's tensors, as transformers' modeling_llama.py, modeling_qwen3.py and modeling_mixtral.py
// save them.

import { resolveShape } from './resolve-shape.js';

/** In the order of the modules: embedding, layers, final norm, head. */
export function listTensors(unresolved) {
  const shape = resolveShape(unresolved);
  const { hiddenSize, vocabSize, layers, tied } = shape;
  return [
    tensor('model.embed_tokens', vocabSize, hiddenSize),
    ...Array.from({ length: layers }, (_, layer) => layerTensors(shape, `model.layers.${layer}`)).flat(),
    tensor('model.norm', hiddenSize),
    ...(tied ? [] : [tensor('lm_head', vocabSize, hiddenSize)]),
  ];
}

function layerTensors(shape, layer) {
  const { family, hiddenSize, headDim, heads, kvHeads } = shape;
  const attention = `${layer}.self_attn`;
  return [
    tensor(`${attention}.q_proj`, heads * headDim, hiddenSize),
    tensor(`${attention}.k_proj`, kvHeads * headDim, hiddenSize),
    tensor(`${attention}.v_proj`, kvHeads * headDim, hiddenSize),
    tensor(`${attention}.o_proj`, hiddenSize, heads * headDim),
    ...(family === 'qwen3'
      ? [tensor(`${attention}.q_norm`, headDim), tensor(`${attention}.k_norm`, headDim)]
      : []),
    ...(family === 'mixtral' ? expertTensors(shape, layer) : mlpTensors(shape, layer)),
    tensor(`${layer}.input_layernorm`, hiddenSize),
    tensor(`${layer}.post_attention_layernorm`, hiddenSize),
  ];
}

function mlpTensors({ hiddenSize, intermediateSize }, layer) {
  return [
    tensor(`${layer}.mlp.gate_proj`, intermediateSize, hiddenSize),
    tensor(`${layer}.mlp.up_proj`, intermediateSize, hiddenSize),
    tensor(`${layer}.mlp.down_proj`, hiddenSize, intermediateSize),
  ];
}

/** w1 is gate, w2 down, w3 up. */
function expertTensors({ hiddenSize, intermediateSize, experts }, layer) {
  const moe = `${layer}.block_sparse_moe`;
  return [
    tensor(`${moe}.gate`, experts, hiddenSize),
    ...Array.from({ length: experts }, (_, expert) => [
      tensor(`${moe}.experts.${expert}.w1`, intermediateSize, hiddenSize),
      tensor(`${moe}.experts.${expert}.w2`, hiddenSize, intermediateSize),
      tensor(`${moe}.experts.${expert}.w3`, intermediateSize, hiddenSize),
    ]).flat(),
  ];
}

function tensor(module, ...shape) {
  return { name: `${module}.weight`, shape };
}
