// Reads the scaling of a rotary embedding: its type, and the fields of that type with the defaults of
// transformers (standardize_rope_params and the functions of modeling_rope_utils.py).

import type { ConfigReader } from '../config/config-reader.js';
import { describeValue } from '../config/describe-value.js';
import { LIMITS } from '../config/limits.js';
import { ModelError } from '../errors.js';
import { longropeMagnitude } from './longrope.js';
import type { RopeScaling } from './rope-config.js';
import { yarnMagnitude } from './yarn.js';

/** `prompt-ntk` is no value of a config: a family says it. */
type ReadableType = Exclude<RopeScaling['type'], 'prompt-ntk'>;

/** Per type, the fields that are read; another one might change the frequencies, so it is refused. */
const KNOWN_FIELDS: Readonly<Record<ReadableType, readonly string[]>> = {
  default: [],
  linear: ['factor'],
  dynamic: ['factor'],
  llama3: ['factor', 'low_freq_factor', 'high_freq_factor', 'original_max_position_embeddings'],
  yarn: [
    'factor',
    'beta_fast',
    'beta_slow',
    'truncate',
    'attention_factor',
    'mscale',
    'mscale_all_dim',
    'original_max_position_embeddings',
  ],
  longrope: ['factor', 'short_factor', 'long_factor', 'attention_factor', 'original_max_position_embeddings'],
};

/** Read elsewhere, or without effect: in text, the sections of multimodal rope (mrope) all have one position. */
const COMMON_FIELDS = [
  'rope_type',
  'type',
  'rope_theta',
  'partial_rotary_factor',
  'finetuned',
  'mrope_section',
  'mrope_interleaved',
];

/** Older names of a type. */
const ALIASES: Readonly<Record<string, ReadableType>> = { su: 'longrope', mrope: 'default' };

/** `section` is `rope_scaling` or `rope_parameters`, or undefined when the config has neither. */
export function readRopeScaling(
  config: ConfigReader,
  section: ConfigReader | undefined,
  sizes: { rotaryDim: number; maxPositions: number },
): RopeScaling {
  if (!section) return { type: 'default' };
  const type = readType(section);
  refuseUnknownFields(section, type);
  const { rotaryDim, maxPositions } = sizes;
  switch (type) {
    case 'default':
      return { type };
    case 'linear':
      return { type, factor: section.number('factor', LIMITS.ropeFactor) };
    case 'dynamic':
      if (rotaryDim < 4) throw config.invalid('head_dim', 'at least 4 rotated columns for dynamic rope');
      return { type, factor: section.number('factor', LIMITS.ropeFactor) };
    case 'llama3':
      return readLlama3(section, originalMaxPositions());
    case 'yarn':
      return readYarn(section, { original: originalMaxPositions(), maxPositions });
    case 'longrope':
      return readLongrope(section, { original: originalMaxPositions(), maxPositions, pairs: rotaryDim / 2 });
  }

  /** The top level has priority, as in Phi-3; without either the length is the model's own. */
  function originalMaxPositions(): number {
    const field = 'original_max_position_embeddings';
    const holder = config.has(field) ? config : section;
    return holder?.integer(field, LIMITS.positions, maxPositions) ?? maxPositions;
  }
}

function readType(section: ConfigReader): ReadableType {
  const field = section.has('rope_type') ? 'rope_type' : 'type';
  const name = section.string(field, 'default');
  const type = ALIASES[name] ?? name;
  if (isKnownType(type)) return type;
  throw new ModelError(
    'UNSUPPORTED_ROPE',
    `Expected one of ${Object.keys(KNOWN_FIELDS).join(', ')} for config field ${section.path}${field} but found ${describeValue(name)}. See docs/add-a-model.md`,
    { field: `${section.path}${field}`, found: name },
  );
}

function isKnownType(name: string): name is ReadableType {
  return Object.hasOwn(KNOWN_FIELDS, name);
}

function refuseUnknownFields(section: ConfigReader, type: ReadableType): void {
  const known = [...COMMON_FIELDS, ...KNOWN_FIELDS[type]];
  for (const field of Object.keys(section.fields)) {
    if (known.includes(field) || !section.has(field)) continue;
    throw new ModelError(
      'UNSUPPORTED_ROPE',
      `Expected no field ${describeValue(field)} for rope type ${type} but config field ${section.path.slice(0, -1)} has it. See docs/add-a-model.md`,
      { field: `${section.path}${field}`, found: section.fields[field] },
    );
  }
}

function readLlama3(section: ConfigReader, original: number): RopeScaling {
  const lowFreqFactor = section.number('low_freq_factor', LIMITS.ropeFactor);
  const highFreqFactor = section.number('high_freq_factor', LIMITS.ropeFactor);
  if (highFreqFactor < lowFreqFactor) {
    throw section.invalid('high_freq_factor', `at least low_freq_factor (${lowFreqFactor})`);
  }
  const factor = section.number('factor', LIMITS.ropeFactor);
  return { type: 'llama3', factor, lowFreqFactor, highFreqFactor, originalMaxPositions: original };
}

function readYarn(section: ConfigReader, sizes: { original: number; maxPositions: number }): RopeScaling {
  const factor = section.number('factor', LIMITS.ropeFactor, sizes.maxPositions / sizes.original);
  const optional = { min: 0, max: LIMITS.ropeFactor.max };
  const mscale = section.number('mscale', optional, 0);
  const mscaleAllDim = section.number('mscale_all_dim', optional, 0);
  const magnitude =
    mscale && mscaleAllDim
      ? yarnMagnitude(factor, mscale) / yarnMagnitude(factor, mscaleAllDim)
      : yarnMagnitude(factor);
  return {
    type: 'yarn',
    factor,
    // 0 means "not given" to the reference, for both.
    betaFast: section.number('beta_fast', optional, 32) || 32,
    betaSlow: section.number('beta_slow', optional, 1) || 1,
    truncate: section.boolean('truncate', true),
    attentionFactor: section.number('attention_factor', optional, magnitude),
    originalMaxPositions: sizes.original,
  };
}

function readLongrope(
  section: ConfigReader,
  sizes: { original: number; maxPositions: number; pairs: number },
): RopeScaling {
  const { original, maxPositions, pairs } = sizes;
  const factor = section.number('factor', LIMITS.ropeFactor, maxPositions / original);
  const optional = { min: 0, max: LIMITS.ropeFactor.max };
  return {
    type: 'longrope',
    shortFactor: section.numbers('short_factor', pairs, LIMITS.ropeFactor),
    longFactor: section.numbers('long_factor', pairs, LIMITS.ropeFactor),
    attentionFactor: section.number('attention_factor', optional, longropeMagnitude(factor, original)),
    originalMaxPositions: original,
  };
}
