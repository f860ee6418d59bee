export type { ModelDefinition, ModelSizes, PassState } from './definition.js';
export { ModelError, type ModelErrorCode } from './errors.js';
export { listWeights, type WeightListing, type WeightStage } from './list-weights.js';
export { resolveModel } from './resolve-model.js';
export type { Rope } from './rope.js';
export { supportedModels, type SupportedModel } from './supported-models.js';
