// Rotary sections of multimodal models: columns turn with the position in time, height or width of an image. For
// text the three are equal, which makes them plain rotation.

import { ConfigReader } from '../config/config-reader.js';
import { LIMITS } from '../config/limits.js';

const ROPE_FIELDS = ['rope_parameters', 'rope_scaling'] as const;

/** The config without its sections. Throws unless there are three and they can be of one head. */
export function withoutRopeSections(config: ConfigReader): ConfigReader {
  const fields = { ...config.fields };
  for (const field of ROPE_FIELDS) {
    const section = config.section(field);
    if (!section) continue;
    if (section.has('mrope_section'))
      section.numbers('mrope_section', 3, { min: 0, max: LIMITS.headDim.max });
    const { mrope_section: _sections, mrope_interleaved: _order, ...rest } = section.fields;
    fields[field] = rest;
  }
  return new ConfigReader(fields, config.path);
}
