// What one file under models/ provides: how its config reads and where its weights are.

import type { ConfigReader } from './config/config-reader.js';
import type { DecoderConfig } from './decoder/decoder-config.js';
import type { TensorNames } from './decoder/tensor-names.js';

/** A family of architectures that the shared decoder block computes. */
export interface Family {
  /** `llama`, `qwen3` … */
  readonly name: string;
  readonly names: TensorNames;
  /** Validates and normalises. Throws {@link ModelError}. */
  parse(config: ConfigReader): DecoderConfig;
}
