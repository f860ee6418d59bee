// The factor of the scores of latent attention, which yarn sharpens.

import type { ConfigReader } from '../config/config-reader.js';
import { LIMITS } from '../config/limits.js';
import { yarnMagnitude } from '../rope/yarn.js';

/** 1 / √headDim, times the square of yarn's magnitude by `mscale_all_dim`. Source: transformers, yarn_apply_mscale. */
export function latentScale(config: ConfigReader, headDim: number): number {
  const section = config.section('rope_parameters') ?? config.section('rope_scaling');
  const optional = { min: 0, max: LIMITS.ropeFactor.max };
  const mscale = section?.number('mscale_all_dim', optional, 0) ?? 0;
  const magnitude =
    mscale > 0 && section ? yarnMagnitude(section.number('factor', LIMITS.ropeFactor), mscale) : 1;
  return headDim ** -0.5 * magnitude ** 2;
}
