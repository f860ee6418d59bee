// Falcon: LayerNorm, an MLP without a gate, both parts reading the same stream. The 7B model has one head for keys
// after its query heads, the "new decoder architecture" groups of query heads with a key head each. Falcon-RW has ALiBi
// in place of rope; the reference rounds each bias to bf16, coarser with every doubling of the position, here they are exact.
// Source: transformers, models/falcon; the first configs are those of RefinedWeb (RWForCausalLM).

import { alibiSlopes } from '../config/alibi-slopes.js';
import type { ConfigReader } from '../config/config-reader.js';
import { LIMITS } from '../config/limits.js';
import { readDecoderFields } from '../config/read-decoder-fields.js';
import { expectFieldValue } from '../config/refuse-unknown-arithmetic.js';
import { composeDecoder } from '../decoder/compose-decoder.js';
import { NORM_NAMES, type NormNames } from '../decoder/tensor-names.js';
import type { Family } from '../family.js';

export const falcon: Family = {
  name: 'falcon',
  parse(config) {
    const isFirst = config.has('n_head');
    const kvHeadsField = isFirst ? 'n_head_kv' : 'num_kv_heads';
    const grouped = config.boolean('new_decoder_architecture', isFirst && config.has(kvHeadsField));
    const multiQuery = !grouped && config.boolean('multi_query', true);
    const fields = readDecoderFields(config, {
      maxPositions: 2048,
      normEps: 1e-5,
      ropeTheta: 10_000,
      tiedHead: true,
      activation: 'gelu',
      intermediateSize: 4 * config.integer('hidden_size', LIMITS.hiddenSize),
      fields: {
        ...(isFirst && { heads: 'n_head', layers: 'n_layer' }),
        kvHeads: kvHeadsField,
        intermediateSize: 'ffn_hidden_size',
        normEps: 'layer_norm_epsilon',
        activation: 'activation',
      },
      honours: ['parallel_attn', 'alibi'],
    });
    const alibi = config.boolean('alibi', false);
    if (grouped) expectFieldValue(config, 'parallel_attn', true);
    const parallel = grouped || config.boolean('parallel_attn', true);
    const bias = config.boolean('bias', false);
    const stem = 'self_attention.query_key_value';
    return composeDecoder(fields, {
      names: {
        embedding: 'transformer.word_embeddings',
        finalNorm: 'transformer.ln_f',
        head: 'lm_head',
        layer: 'transformer.h.{layer}.',
      },
      norm: { kind: 'layer', bias: true },
      norms: falconNorms(config, { grouped, parallel }),
      parallel,
      attention: {
        kvHeads: grouped ? fields.kvHeads : multiQuery ? 1 : fields.heads,
        biases: { qkv: bias, o: bias },
        // The biases are added before the scores are scaled.
        ...(alibi && {
          rope: undefined,
          alibiSlopes: alibiSlopes(fields.heads).map((slope) => slope / Math.sqrt(fields.headDim)),
        }),
        names: { qkv: multiQuery ? { fused: stem } : { grouped: stem }, o: 'self_attention.dense' },
      },
      ...(alibi && { ropes: [], maxPositions: fields.rope.maxPositions }),
      mlp: { bias, names: { input: { plain: 'mlp.dense_h_to_4h' }, down: 'mlp.dense_4h_to_h' } },
    });
  },
};

/** Two norms, or one that both parts share. */
function falconNorms(config: ConfigReader, kind: { grouped: boolean; parallel: boolean }): NormNames {
  if (!kind.parallel) return NORM_NAMES;
  const count = config.integer('num_ln_in_parallel_attn', { min: 1, max: 2 }, kind.grouped ? 2 : 1);
  return count === 2
    ? { beforeMixer: 'ln_attn', beforeFeedForward: 'ln_mlp' }
    : { beforeMixer: 'input_layernorm' };
}
