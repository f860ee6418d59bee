export type { ModelDefinition, ModelSizes, PassState } from './definition.js';
export type { Rope } from './rope.js';
