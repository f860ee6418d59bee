// Which layers attend through a sliding window: from a rule, or from a list in the config that overrides it.

import { ModelError } from '../errors.js';
import type { ConfigReader } from './config-reader.js';
import { describeValue } from './describe-value.js';
import { LIMITS } from './limits.js';

export interface SlidingWindowRule {
  readonly layers: number;
  /** Tokens a windowed layer sees, itself included; undefined switches windows off. */
  readonly window: number | undefined;
  /** Layers from this one on have the window, unless the config lists `layer_types`. */
  readonly firstLayer: number;
}

/** `sliding_window`: a number, null for none, or `whenAbsent`. */
export function readWindow(config: ConfigReader, whenAbsent: number | undefined): number | undefined {
  if (config.has('sliding_window')) return config.integer('sliding_window', LIMITS.positions);
  return config.isNull('sliding_window') ? undefined : whenAbsent;
}

/** The window of every layer. Throws when `layer_types` names a kind of layer that is not attention. */
export function slidingWindows(config: ConfigReader, rule: SlidingWindowRule): (number | undefined)[] {
  const { layers, window, firstLayer } = rule;
  if (!config.has('layer_types')) {
    return Array.from({ length: layers }, (_, layer) => (layer >= firstLayer ? window : undefined));
  }
  const types = config.fields['layer_types'];
  if (!Array.isArray(types) || types.length !== layers) {
    throw config.invalid('layer_types', `a list of ${layers} layer types`);
  }
  return types.map((type: unknown) => {
    if (type === 'full_attention') return undefined;
    if (type === 'sliding_attention') return window;
    throw new ModelError(
      'UNSUPPORTED_FIELD',
      `Expected full_attention or sliding_attention in config field layer_types but found ${describeValue(type)}. See docs/add-a-model.md`,
      { field: 'layer_types', found: type },
    );
  });
}
