export type { Arena, Backend, DeviceMemory, KvCache, Submission, SubmissionResult } from './backend.js';
export {
  cacheLayerElements,
  KV_BLOCK_TOKENS,
  kvCacheByteLength,
  type BatchLayout,
  type CacheLayerShape,
  type KvCacheShape,
  type KvLayerShape,
  type RecurrentLayerShape,
  type SequenceSlice,
} from './batch.js';
export type {
  AccumulateCommand,
  ActivateCommand,
  Activation,
  AttentionCommand,
  ClampedGluCommand,
  Command,
  EmbeddingCommand,
  FillCommand,
  GatedDeltaCommand,
  GatherRowsCommand,
  GluCommand,
  LatentAttentionCommand,
  LayerNormCommand,
  LinearCommand,
  LinearTransposedCommand,
  RmsNormCommand,
  RopeCommand,
  ScaleCommand,
  ScaleRowsCommand,
  ScatterAddRowsCommand,
  ShortConvCommand,
  SigmoidGateCommand,
  SoftcapCommand,
  UngroupCommand,
} from './command.js';
export {
  blockElementsOf,
  byteLengthOf,
  DTYPES,
  isGguf,
  isPacked,
  PACKED_DTYPES,
  type DType,
  type ElementDType,
  type GgufDType,
  type PackedDType,
} from './dtype.js';
export { BackendError, type BackendErrorCode } from './errors.js';
export type { ExpertProgram, ExpertsCommand, RecordedCommand, RoutingRule } from './experts.js';
export type {
  CodePacking,
  GroupPacking,
  IntPacking,
  LosslessPacking,
  MxPacking,
  NestedFactors,
  RowGroups,
  WeightPacking,
  WeightSpan,
} from './packing.js';
export { PRECISIONS, type Precision } from './precision.js';
export type {
  AttentionOptions,
  ExpertsOptions,
  GatedDeltaInputs,
  GatedDeltaOptions,
  LatentAttentionOptions,
  LayerNormOptions,
  LinearOptions,
  NormOptions,
  RmsNormOptions,
  RopeOptions,
} from './record-options.js';
export { alignElements } from './arena-plan.js';
export { Recorder, type Program } from './recorder.js';
export { Tensor, type Storage } from './tensor.js';
export type { BlockScales, WeightMemory, WeightRef, WeightSlice } from './weight.js';
