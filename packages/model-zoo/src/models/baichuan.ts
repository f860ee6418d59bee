// Baichuan and Baichuan 2: one matrix for q, k and v. The 13B models use ALiBi in place of rope, Baichuan 2 divides
// the rows of its head by their lengths; no field says either, so both are told by what the configs hold.
// Source: the modeling_baichuan.py published with Baichuan-7B, Baichuan-13B, Baichuan2-7B and Baichuan2-13B.

import { alibiSlopes } from '../config/alibi-slopes.js';
import type { ConfigReader } from '../config/config-reader.js';
import { LIMITS } from '../config/limits.js';
import { readDecoderFields } from '../config/read-decoder-fields.js';
import { composeDecoder } from '../decoder/compose-decoder.js';
import type { Family } from '../family.js';

const BAICHUAN2_VOCABULARY = 125_696;
/** Hidden sizes that were published with one kind of position only. */
const ROPE_SIZE = 4096;
const ALIBI_SIZE = 5120;

export const baichuan: Family = {
  name: 'baichuan',
  parse(config) {
    const fields = readDecoderFields(config, { maxPositions: 4096, normEps: 1e-6, ropeTheta: 10_000 });
    const alibi = hasAlibi(config, fields.hiddenSize);
    const maxPositions = config.integer('model_max_length', LIMITS.positions, fields.rope.maxPositions);
    return composeDecoder(fields, {
      attention: {
        names: { qkv: { fused: 'self_attn.W_pack' } },
        ...(alibi && { rope: undefined, alibiSlopes: alibiSlopes(fields.heads) }),
      },
      ...(alibi && { ropes: [], maxPositions }),
      normalizedHead: fields.vocabSize === BAICHUAN2_VOCABULARY || config.has('z_loss_weight'),
    });
  },
};

/** Only the configs of models with rope have `max_position_embeddings`. */
function hasAlibi(config: ConfigReader, hiddenSize: number): boolean {
  if (hiddenSize === ROPE_SIZE || hiddenSize === ALIBI_SIZE) return hiddenSize === ALIBI_SIZE;
  return !config.has('max_position_embeddings');
}
