// The way in: a parsed config.json becomes a definition, or an error that says what is not supported.

import { ConfigReader, isRecord } from './config/config-reader.js';
import { hasShuffledGroups } from './config/quantization.js';
import { describeValue } from './config/describe-value.js';
import { createDecoder } from './decoder/decoder.js';
import type { ModelDefinition } from './definition.js';
import { ModelError } from './errors.js';
import type { CheckpointHints } from './family.js';
import { findFamily } from './find-family.js';
import { renamed, textPart } from './text-part.js';

/**
 * The definition that a parsed config.json describes. Both dialects are read: `rope_parameters` (transformers 5)
 * and `rope_theta` with `rope_scaling`.
 *
 * @param hints what the checkpoint holds, for what configs do not tell
 * @throws {ModelError} `UNSUPPORTED_ARCHITECTURE`, `INVALID_CONFIG`, `UNSUPPORTED_ACTIVATION`, `UNSUPPORTED_ROPE`,
 * `UNSUPPORTED_QUANTIZATION` or `UNSUPPORTED_FIELD`.
 *
 * @example
 * const model = resolveModel(checkpoint.config, checkpoint);
 * console.log(model.family, model.sizes.layers);
 */
export function resolveModel(config: unknown, hints: CheckpointHints = {}): ModelDefinition {
  if (!isRecord(config)) {
    throw new ModelError(
      'INVALID_CONFIG',
      `Expected config.json to hold an object but found ${describeValue(config)}`,
      { found: describeValue(config) },
    );
  }
  const reader = new ConfigReader(config);
  const { family, textNaming } = findFamily(reader);
  const shuffledGroups = hasShuffledGroups(reader);
  if (!textNaming) return createDecoder(family.name, family.parse(reader, hints), { shuffledGroups });
  const decoder = family.parse(textPart(reader), hints);
  const notice = `Only the text part of this ${family.name} model is run; tensors of its other parts are not read`;
  const names = renamed(decoder.names, textNaming);
  return createDecoder(family.name, { ...decoder, names }, { shuffledGroups, notices: [notice] });
}
