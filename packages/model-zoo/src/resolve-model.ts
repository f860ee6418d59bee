// The way in: a parsed config.json becomes a definition, or an error that says what is not supported.

import { ConfigReader, isRecord } from './config/config-reader.js';
import { describeValue } from './config/describe-value.js';
import { createDecoder } from './decoder/decoder.js';
import type { ModelDefinition } from './definition.js';
import { ModelError } from './errors.js';
import { findFamily } from './find-family.js';

/**
 * The definition that a parsed config.json describes. Both dialects are read: `rope_parameters` (transformers 5)
 * and `rope_theta` with `rope_scaling`.
 *
 * @throws {ModelError} `UNSUPPORTED_ARCHITECTURE`, `INVALID_CONFIG`, `UNSUPPORTED_ACTIVATION`, `UNSUPPORTED_ROPE`,
 * `UNSUPPORTED_QUANTIZATION` or `UNSUPPORTED_FIELD`.
 *
 * @example
 * const model = resolveModel(checkpoint.config);
 * console.log(model.family, model.sizes.layers);
 */
export function resolveModel(config: unknown): ModelDefinition {
  if (!isRecord(config)) {
    throw new ModelError(
      'INVALID_CONFIG',
      `Expected config.json to hold an object but found ${describeValue(config)}`,
      { found: describeValue(config) },
    );
  }
  const reader = new ConfigReader(config);
  const family = findFamily(reader);
  return createDecoder(family.name, family.parse(reader), family.names);
}
