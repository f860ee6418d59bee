// Reads the rotary embedding of a config in both dialects: `rope_parameters` (transformers 5, possibly one
// per kind of layer) and `rope_theta` with `rope_scaling`, whose type is called `rope_type` or `type`.

import { type ConfigReader } from '../config/config-reader.js';
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
  /** What the two fields are called beside the layers' own; default `rope_theta` and `partial_rotary_factor`. */
  readonly names?: { readonly theta: string; readonly partial: string } | undefined;
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

/**
 * The rotary embeddings of layers that see everything and of those with a window (Gemma 3, OLMo 3). Older configs
 * scale the former alone and may give the latter a theta in a field of its own.
 */
export function readRopesByLayerType(
  config: ConfigReader,
  defaults: RopeDefaults & { readonly sliding: { readonly theta: number; readonly field?: string } },
): { rope: RopeConfig; slidingRope: RopeConfig } {
  const parameters = config.section('rope_parameters');
  const byType = parameters?.has('full_attention') || parameters?.has('sliding_attention');
  const full = byType ? parameters?.section('full_attention') : config.section('rope_scaling');
  const sliding = byType ? parameters?.section('sliding_attention') : undefined;
  const { theta, field = 'rope_theta' } = defaults.sliding;
  return {
    rope: readSection(config, byType ? full : (parameters ?? full), defaults),
    slidingRope: readSection(config, sliding, {
      ...defaults,
      theta,
      names: { theta: field, partial: 'partial_rotary_factor' },
    }),
  };
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
  const [thetaHolder, thetaName] = holder('rope_theta', defaults.names?.theta);
  const [shareHolder, shareName] = holder('partial_rotary_factor', defaults.names?.partial);
  const theta = thetaHolder.number(thetaName, LIMITS.ropeTheta, defaults.theta);
  const { partialRotaryFactor = 1 } = defaults;
  const share = shareHolder.number(shareName, LIMITS.partialRotaryFactor, partialRotaryFactor);
  const rotaryDim = Math.trunc(headDim * share);
  if (rotaryDim < 2 || rotaryDim % 2 !== 0) {
    throw new ModelError(
      'INVALID_CONFIG',
      `Expected an even number of rotated columns, at least 2, but head_dim ${headDim} and partial_rotary_factor ${shareName} ${share} give ${rotaryDim}`,
      { field: 'head_dim', found: rotaryDim },
    );
  }
  const scaling = readRopeScaling(config, section, { rotaryDim, maxPositions });
  const style = config.boolean('rope_interleave', false) ? 'interleaved' : 'half';
  return { theta, headDim, rotaryDim, style, maxPositions, scaling };

  /** The section has priority over the top level. */
  function holder(field: string, topLevelName = field): [ConfigReader, string] {
    return section?.has(field) ? [section, field] : [config, topLevelName];
  }
}
