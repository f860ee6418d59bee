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

/** Every family {@link resolveModel} knows. */
export function supportedModels(): SupportedModel[] {
  return FAMILIES.map(({ family, architectures, modelTypes }) => ({
    family: family.name,
    architectures,
    modelTypes,
  }));
}
