// Reads the rotary embedding of a config in both dialects: `rope_parameters` (transformers 5, possibly one
// per kind of layer) and `rope_theta` with `rope_scaling`, whose type is called `rope_type` or `type`.

import { type ConfigReader } from '../config/config-reader.js';
import { describeValue } from '../config/describe-value.js';
import { LIMITS } from '../config/limits.js';
import { ModelError } from '../errors.js';
import type { RopeConfig } from './rope-config.js';
import { readRopeScaling } from './read-rope-scaling.js';

export interface RopeDefaults {
  readonly headDim: number;
  readonly maxPositions: number;
  /** When the config gives none. */
  readonly theta: number;
  /** When the config gives none; default 1. */
  readonly partialRotaryFactor?: number | undefined;
}

/** Throws `UNSUPPORTED_ROPE` for a scaling that is not known and `INVALID_CONFIG` for impossible values. */
export function readRopeConfig(config: ConfigReader, defaults: RopeDefaults): RopeConfig {
  const sections = ropeSections(config);
  const [first, ...others] = (sections.length > 0 ? sections : [undefined]).map((section) =>
    readSection(config, section, defaults),
  );
  const text = JSON.stringify(first);
  if (!first || others.some((other) => JSON.stringify(other) !== text)) {
    throw new ModelError(
      'UNSUPPORTED_ROPE',
      'Expected one rotary embedding for all layers but config field rope_parameters has several. See docs/add-a-model.md',
      { field: 'rope_parameters' },
    );
  }
  return first;
}

/** The objects that describe the rotary embedding: none, one, or one per kind of layer in use. */
function ropeSections(config: ConfigReader): ConfigReader[] {
  const section = config.section('rope_parameters') ?? config.section('rope_scaling');
  if (!section) return [];
  const kinds = ['full_attention', 'sliding_attention'].filter((kind) => section.has(kind));
  if (kinds.length === 0) return [section];
  const listed = config.fields['layer_types'];
  const inUse = Array.isArray(listed) ? kinds.filter((kind) => listed.includes(kind)) : kinds;
  return inUse.map((kind) => section.section(kind)).filter((nested) => nested !== undefined);
}

function readSection(
  config: ConfigReader,
  section: ConfigReader | undefined,
  defaults: RopeDefaults,
): RopeConfig {
  const { headDim, maxPositions } = defaults;
  const theta = holder('rope_theta').number('rope_theta', LIMITS.ropeTheta, defaults.theta);
  const share = holder('partial_rotary_factor');
  const rotaryDim = Math.trunc(
    headDim *
      share.number('partial_rotary_factor', LIMITS.partialRotaryFactor, defaults.partialRotaryFactor ?? 1),
  );
  if (rotaryDim < 2 || rotaryDim % 2 !== 0) {
    throw new ModelError(
      'INVALID_CONFIG',
      `Expected an even number of rotated columns, at least 2, but head_dim ${headDim} and partial_rotary_factor ${describeValue(share.fields['partial_rotary_factor'] ?? 1)} give ${rotaryDim}`,
      { field: 'head_dim', found: rotaryDim },
    );
  }
  const scaling = readRopeScaling(config, section, { rotaryDim, maxPositions });
  return { theta, headDim, rotaryDim, style: 'half', maxPositions, scaling };

  /** The section has priority over the top level. */
  function holder(field: string): ConfigReader {
    return section?.has(field) ? section : config;
  }
}
