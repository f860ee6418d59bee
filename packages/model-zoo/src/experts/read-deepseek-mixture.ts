// The experts of DeepSeek V2 and V3: how they are chosen, and the shared ones.

import type { ConfigReader } from '../config/config-reader.js';
import { expertRange, LIMITS } from '../config/limits.js';
import { expectFieldValue } from '../config/refuse-unknown-arithmetic.js';
import type { DecoderFields } from '../decoder/compose-decoder.js';
import { PLAIN_MIXTURE, type MixtureConfig } from './mixture-config.js';
import { Mixture } from './mixture.js';

export type DeepseekVersion = 2 | 3;

/** Throws {@link ModelError} for a way of choosing experts that is not known. */
export function readDeepseekMixture(
  config: ConfigReader,
  { layers, activation }: DecoderFields,
  version: DeepseekVersion,
): Mixture {
  expectFieldValue(config, 'moe_layer_freq', 1);
  expectFieldValue(config, 'scoring_func', version === 2 ? 'softmax' : 'sigmoid');
  const experts = config.integer('n_routed_experts', expertRange(layers));
  const width = config.integer('moe_intermediate_size', LIMITS.intermediateSize);
  const shared = config.integer('n_shared_experts', { min: 0, max: 1024 }, version === 2 ? 2 : 1);
  return new Mixture({
    ...PLAIN_MIXTURE,
    experts,
    width,
    gate: activation,
    routing: readRouting(config, { experts, version }),
    correctionBias: version === 2 ? undefined : 'mlp.gate.e_score_correction_bias',
    // All shared experts are stored as one MLP of their widths together.
    shared:
      shared === 0
        ? undefined
        : { stem: 'mlp.shared_experts', width: shared * width, activation, gate: undefined },
  });
}

interface RoutingOptions {
  readonly experts: number;
  readonly version: DeepseekVersion;
}

function readRouting(config: ConfigReader, { experts, version }: RoutingOptions): MixtureConfig['routing'] {
  const scale = config.number('routed_scaling_factor', { min: 0, max: 1e6 }, version === 2 ? 1 : 2.5);
  const topK = config.integer('num_experts_per_tok', { min: 1, max: experts });
  const groups = readGroups(config, { experts, version });
  if (groups && topK > (experts / groups.count) * groups.topGroups) {
    throw config.invalid('num_experts_per_tok', `at most the experts of ${groups.topGroups} groups`);
  }
  if (version === 2) {
    // Published V2 code and transformers differ in what true would mean.
    expectFieldValue(config, 'norm_topk_prob', false);
    return { topK, scoring: 'softmax', normalizeTopK: false, scale, groups, scaleInput: false };
  }
  const normalizeTopK = config.boolean('norm_topk_prob', true);
  return { topK, scoring: 'sigmoid', normalizeTopK, scale, groups, scaleInput: false };
}

function readGroups(
  config: ConfigReader,
  { experts, version }: RoutingOptions,
): MixtureConfig['routing']['groups'] {
  const method = config.string('topk_method', version === 2 ? 'greedy' : 'noaux_tc');
  if (version === 2 && method === 'greedy') return undefined;
  expectFieldValue(config, 'topk_method', version === 2 ? 'group_limited_greedy' : 'noaux_tc');
  const count = config.integer('n_group', { min: 1, max: experts }, version === 2 ? undefined : 8);
  const topGroups = config.integer('topk_group', { min: 1, max: count }, version === 2 ? undefined : 4);
  // The best two of a group decide in V3.
  const least = version === 2 ? 1 : 2;
  if (experts % count !== 0 || experts / count < least) {
    throw config.invalid(
      'n_group',
      `a divisor of n_routed_experts (${experts}) with ${least} experts or more each`,
    );
  }
  return { count, topGroups, score: version === 2 ? 'max' : 'top2-sum' };
}
