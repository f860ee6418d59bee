// What compressed-tensors and ModelOpt say of a quantization in `config_groups`: which number format the weights of a
// group of modules have. FP8 with a scale per tensor or per row is read; what they say of activations is for those who
// quantize those too.

import { isRecord } from './config-reader.js';

/** Fields of a group's `weights`, with the values that leave FP8 (e4m3) as it is read. Absent and null count as none. */
const WEIGHT_FIELDS: Readonly<Record<string, readonly unknown[]>> = {
  num_bits: [8],
  type: ['float'],
  strategy: ['tensor', 'channel'],
  dynamic: [false],
  symmetric: [true],
  group_size: [],
  block_structure: [],
  actorder: [],
};

/** Without effect on what the stored weights mean. */
const HOW_IT_WAS_MADE = ['observer', 'observer_kwargs', 'scale_dtype', 'zp_dtype'];

/** True where every group has FP8 weights and no other tensor than weights is changed. */
export function areFloat8Groups(groups: unknown): boolean {
  if (!isRecord(groups) || Object.keys(groups).length === 0) return false;
  return Object.values(groups).every(
    (group) =>
      isRecord(group) &&
      isRecord(group['weights']) &&
      (group['output_activations'] ?? null) === null &&
      isFloat8(group['weights']),
  );
}

function isFloat8(weights: Readonly<Record<string, unknown>>): boolean {
  if (weights['num_bits'] !== 8 || weights['type'] !== 'float') return false;
  return Object.entries(weights).every(
    ([name, value]) =>
      value === null || HOW_IT_WAS_MADE.includes(name) || WEIGHT_FIELDS[name]?.includes(value) === true,
  );
}
