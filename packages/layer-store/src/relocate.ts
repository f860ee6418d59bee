// The same weight in other memory: a slice, its scales and its packing name the memory of each of their spans.

import type { WeightMemory } from '@airllm/backend';

/** A copy of `value` in which what lies in `from` lies at the same offsets of `to`. */
export function relocate<T extends object>(value: T, from: WeightMemory, to: WeightMemory): T {
  const fields = Object.entries(value).map(([name, field]: [string, unknown]) => {
    if (name === 'memory') return [name, field === from ? to : field];
    return [name, typeof field === 'object' && field !== null ? relocate(field, from, to) : field];
  });
  return Object.fromEntries(fields) as T;
}
