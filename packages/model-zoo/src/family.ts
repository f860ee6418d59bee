// What one file under models/ provides: how its config reads.

import type { ConfigReader } from './config/config-reader.js';
import type { DecoderConfig } from './decoder/decoder-config.js';

/** What is known of a checkpoint beside its config. */
export interface CheckpointHints {
  /**
   * Its tensors by name. Without them a layout that configs do not tell is taken to be the one that the architecture is
   * published in.
   */
  readonly tensors?: ReadonlyMap<string, { readonly shape: readonly number[] }> | undefined;
}

/** A family of architectures that the shared decoder block computes. */
export interface Family {
  /** `llama`, `qwen3` … */
  readonly name: string;
  /** Validates and normalises. Throws {@link ModelError}. */
  parse(config: ConfigReader, hints?: CheckpointHints): DecoderConfig;
}
