// The list of what can be resolved, for `--help`, error messages and documentation.

import { FAMILIES } from './models/index.js';

/** One family and the names configs call it by. */
export interface SupportedModel {
  readonly family: string;
  /** Values of `architectures[0]`. */
  readonly architectures: readonly string[];
  /** Values of `model_type`. */
  readonly modelTypes: readonly string[];
}

/** Every family {@link resolveModel} knows, with the names of its multimodal models too. */
export function supportedModels(): SupportedModel[] {
  return [...new Set(FAMILIES.map(({ family }) => family.name))].map((family) => {
    const entries = FAMILIES.filter((entry) => entry.family.name === family);
    return {
      family,
      architectures: entries.flatMap(({ architectures }) => architectures),
      modelTypes: entries.flatMap(({ modelTypes }) => modelTypes),
    };
  });
}
