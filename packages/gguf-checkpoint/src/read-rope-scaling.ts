// The scaling of the rotary embedding, as `rope_scaling` of config.json says it.

import { GgufError, shown } from './gguf-error.js';
import type { Metadata } from './metadata.js';

export interface RopeSource {
  readonly metadata: Metadata;
  /** `llama.rope` */
  readonly prefix: string;
  readonly maxPositions: number;
  /** One divisor per frequency, in place of a rule. */
  readonly factors: readonly number[] | undefined;
}

const FACTOR = { min: 1e-3, max: 1e6 };

/** Null for none. @throws GgufError `UNSUPPORTED_FIELD`, `INVALID_METADATA` */
export function readRopeScaling(source: RopeSource): Record<string, unknown> | null {
  const { metadata, prefix, maxPositions, factors } = source;
  const key = `${prefix}.scaling.type`;
  // Files of the first months have the factor alone.
  const linear = metadata.number(`${prefix}.scale_linear`, FACTOR, 1);
  const type = metadata.string(key, linear === 1 ? 'none' : 'linear');
  if (factors) {
    if (type !== 'none') throw metadata.invalid(key, 'no scaling beside the divisors in rope_freqs.weight');
    // The same divisors at every length: what llama3 scaling comes to.
    return {
      rope_type: 'longrope',
      short_factor: [...factors],
      long_factor: [...factors],
      factor: 1,
      attention_factor: 1,
      original_max_position_embeddings: maxPositions,
    };
  }
  const factor = (): number => metadata.number(`${prefix}.scaling.factor`, FACTOR, linear);
  switch (type) {
    case 'none':
      return null;
    case 'linear':
      return { rope_type: 'linear', factor: factor() };
    case 'yarn': {
      const positions = { min: 1, max: 2 ** 30 };
      const original = metadata.integer(`${prefix}.scaling.original_context_length`, positions);
      return { rope_type: 'yarn', factor: factor(), original_max_position_embeddings: original };
    }
    default:
      throw new GgufError(
        'UNSUPPORTED_FIELD',
        `Expected none, linear or yarn for ${key} but found ${shown(type)}.`,
        { fields: { key, found: type } },
      );
  }
}
