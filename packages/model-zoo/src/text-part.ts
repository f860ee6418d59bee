// The text part of a multimodal model: its config lies in a section, its tensors under longer names.

import { ConfigReader } from './config/config-reader.js';
import type { ModelNames } from './decoder/tensor-names.js';

/** What stands beside the section and belongs to the text part where the section does not say it. */
const INHERITED = ['tie_word_embeddings', 'quantization_config', 'compression_config'];

/**
 * The reader of `text_config`, or `config` itself where there is none. Fields that are written beside the section
 * count where it lacks them.
 */
export function textPart(config: ConfigReader): ConfigReader {
  const section = config.section('text_config');
  if (!section) return config;
  const inherited = INHERITED.filter((field) => config.has(field) && !section.has(field));
  const fields = Object.fromEntries(inherited.map((field) => [field, config.fields[field]]));
  return new ConfigReader({ ...section.fields, ...fields }, section.path);
}

/** Where a multimodal checkpoint keeps a tensor that the text model alone calls `stem`. */
export type TextNaming = (stem: string) => string;

/** The text model's own names: Qwen2-VL. */
export const asIs: TextNaming = (stem) => stem;

/** `model.norm` → `language_model.model.norm`, the head too: Gemma 3, Llama 4, Mistral 3. */
export const wrapped: TextNaming = (stem) => `language_model.${stem}`;

/** `model.norm` → `model.language_model.norm`, the head as it is: Qwen3-VL, Qwen3.5. */
export const nested: TextNaming = (stem) => stem.replace(/^model\./, 'model.language_model.');

/** Every name of `names` as `naming` has it. */
export function renamed(names: ModelNames, naming: TextNaming): ModelNames {
  const { embedding, finalNorm, head, layer } = names;
  return {
    embedding: naming(embedding),
    finalNorm: naming(finalNorm),
    head: naming(head),
    layer: naming(layer),
  };
}
