export { ShardError, type ShardErrorCode } from './errors.js';
export type { WeightGroups, WeightStage, WeightUse } from './plan/weight-groups.js';
export {
  QUANTIZED_PARTS,
  SHARD_FORMATS,
  type QuantizedPart,
  type ShardFormat,
  type ShardLayout,
  type ShardOptions,
} from './plan/shard-options.js';
export type { ModelFolder, ModelIdentity } from './plan/model-identity.js';
export { planShards, type PlanRequest } from './plan/plan-shards.js';
export type { PlannedFile, PlannedTensor, ShardPlan, SourceFile } from './plan/plan-schema.js';
export type { OnShardProgress, ShardPhase, ShardProgress } from './progress.js';
export { writeShards, type WriteShardsOptions, type WrittenShards } from './write/write-shards.js';
export {
  locateShards,
  resumeShards,
  shardCheckpoint,
  type ShardCheckpointOptions,
} from './shard-checkpoint.js';
export {
  MANIFEST_NAME,
  readManifest,
  type ShardFile,
  type ShardManifest,
  type ShardTensor,
} from './manifest.js';
export { verifyShards, type DamagedShard, type VerifyOptions } from './verify-shards.js';
export { repairShards } from './repair-shards.js';
