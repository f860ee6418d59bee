export { GenerateError, type GenerateErrorCode } from './errors.js';
export { demandOf, sizeRun, type RunDemand, type RunRequest, type RunSize } from './run/run-size.js';
export type { DeviceRoom } from './run/weight-room.js';
export type { Engine, EngineLoss, RecoverEngine } from './run/engine.js';
export type { GenerationOptions } from './run/generation-options.js';
export { LanguageModel, type LanguageModelOptions } from './run/language-model.js';
export type { RunCounters } from './run/run-counters.js';
export type { FinishReason, TokenEvent } from './run/token-event.js';
export type { PassShape } from './pass/pass-programs.js';
export { createSampler, type SampledToken, type Sampler } from './sampling/sampler.js';
export {
  resolveSamplingOptions,
  samplingOptionNames,
  type ResolvedSamplingOptions,
  type SamplingOptions,
} from './sampling/sampling-options.js';
export { resolveEosTokenIds, type EosSources } from './stop/eos-tokens.js';
export { StopStrings } from './stop/stop-strings.js';
export { StreamDecoder, type TokenDecoder } from './stop/stream-decoder.js';
