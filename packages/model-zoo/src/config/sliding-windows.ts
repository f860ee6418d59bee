// Which layers attend through a sliding window: from a rule, or from a list in the config that overrides it.

import { ModelError } from '../errors.js';
import type { ConfigReader } from './config-reader.js';
import { describeValue } from './describe-value.js';
import { LIMITS } from './limits.js';

export interface SlidingWindowRule {
  readonly layers: number;
  /** Tokens a windowed layer sees, itself included; undefined switches windows off. */
  readonly window: number | undefined;
  /** Unless the config lists `layer_types`, layers from this one on have the window; default 0. */
  readonly firstLayer?: number;
  /** Of those, every n-th layer of the model sees everything; default none. */
  readonly fullEvery?: number;
}

/** `sliding_window`: a number, null for none, or `whenAbsent`. */
export function readWindow(config: ConfigReader, whenAbsent: number | undefined): number | undefined {
  if (config.has('sliding_window')) return config.integer('sliding_window', LIMITS.positions);
  return config.isNull('sliding_window') ? undefined : whenAbsent;
}

/** The window of every layer. Throws when `layer_types` names a kind of layer that is not attention. */
export function slidingWindows(config: ConfigReader, rule: SlidingWindowRule): (number | undefined)[] {
  const { layers, window, firstLayer = 0, fullEvery = Infinity } = rule;
  if (!config.has('layer_types')) {
    return Array.from({ length: layers }, (_, layer) =>
      layer < firstLayer || (layer + 1) % fullEvery === 0 ? undefined : window,
    );
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
