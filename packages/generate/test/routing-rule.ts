// The plainest router: softmax, the best experts, their weights made to sum to 1.

import type { RoutingRule } from '@airllm/backend';

export const PLAIN_ROUTING: RoutingRule = {
  topK: 2,
  scoring: 'softmax',
  normalizeTopK: true,
  scale: 1,
  correctionBias: undefined,
  groups: undefined,
  scaleInput: false,
};
