// What one file under models/ provides: how its config reads.

import type { ConfigReader } from './config/config-reader.js';
import type { DecoderConfig } from './decoder/decoder-config.js';

/** A family of architectures that the shared decoder block computes. */
export interface Family {
  /** `llama`, `qwen3` … */
  readonly name: string;
  /** Validates and normalises. Throws {@link ModelError}. */
  parse(config: ConfigReader): DecoderConfig;
}
