export { AutoModel, type InspectedModel } from './auto-model.js';
export type { ChatContentPart, ChatMessage } from './chat/chat-message.js';
export { CoreError, type CoreErrorCode } from './errors.js';
export type { GpuDeviceName } from './devices/gpu-devices.js';
export { diagnose } from './doctor/diagnose.js';
export type {
  DeviceFacts,
  Diagnosis,
  DiskFacts,
  DriverFacts,
  MemoryFacts,
  SystemFacts,
} from './doctor/diagnosis.js';
export { describeConfig, type ConfigDescription } from './describe-config.js';
export { Model, type GenerationResult, type Logits } from './model.js';
export type { CompressionOption, FromPretrainedOptions } from './options/resolve-options.js';
export { parseBytes } from './options/parse-bytes.js';
export type { DevicePlan } from './device-plan.js';
export type { LayerPlan, ModelPlan } from './plan.js';
export type { DeviceSpeed } from './measure-device.js';
export type { ModelPrediction } from './predict.js';
export type { Prompt } from './prompt.js';
export type { LayerStats, ModelStats } from './stats.js';
export { shardModel, type ShardModelOptions } from './shard-model.js';
export type { ModelTokenizer } from './tokenizer/model-tokenizer.js';
export type { FinishReason, GenerationOptions, TokenEvent } from '@airllm/generate';
export { repairShards, verifyShards } from './sharder-library.js';
export type { DamagedShard, ShardFormat, ShardProgress, WrittenShards } from '@airllm/sharder';
export { parseJson } from '@airllm/checkpoint';
export { supportedModels, type SupportedModel } from '@airllm/model-zoo';
export { AirllmError } from '@airllm/errors';
