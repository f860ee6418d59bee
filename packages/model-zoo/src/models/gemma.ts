// Gemma 1: norm weights stored minus one, embeddings scaled by the root of their width, the tanh form of GELU
// whatever the config calls it.
// Source: transformers, models/gemma.

import type { ConfigReader } from '../config/config-reader.js';
import { readDecoderFields, type DecoderDefaults } from '../config/read-decoder-fields.js';
import { composeDecoder, type DecoderFields, type DecoderParts } from '../decoder/compose-decoder.js';
import type { Family } from '../family.js';

export const gemma: Family = {
  name: 'gemma',
  parse(config) {
    const fields = readGemmaFields(config, { kvHeads: 16, activation: 'gelu_pytorch_tanh' });
    const bias = config.boolean('attention_bias', false);
    return composeDecoder(
      { ...fields, activation: fields.activation === 'gelu' ? 'gelu-tanh' : fields.activation },
      { ...gemmaParts(fields), attention: { biases: { qkv: bias, o: bias } } },
    );
  },
};

/** What the configs of all Gemmas share. */
export function readGemmaFields(config: ConfigReader, own: Partial<DecoderDefaults>): DecoderFields {
  return readDecoderFields(config, {
    maxPositions: 8192,
    normEps: 1e-6,
    ropeTheta: 10_000,
    headDim: 256,
    tiedHead: true,
    ...own,
  });
}

/** What the arithmetic of all Gemmas shares. */
export function gemmaParts({ hiddenSize }: DecoderFields): DecoderParts {
  return { norm: { weightOffset: 1 }, embeddingScale: Math.sqrt(hiddenSize) };
}
