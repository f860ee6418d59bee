export type { Arena, Backend, KvCache, Submission, SubmissionResult } from './backend.js';
export {
  KV_BLOCK_TOKENS,
  kvCacheByteLength,
  type BatchLayout,
  type KvCacheShape,
  type KvLayerShape,
  type SequenceSlice,
} from './batch.js';
export type {
  AccumulateCommand,
  Activation,
  AttentionCommand,
  Command,
  EmbeddingCommand,
  ExpertRef,
  ExpertsCommand,
  FillCommand,
  GatherRowsCommand,
  GluCommand,
  LinearCommand,
  RecordedCommand,
  RmsNormCommand,
  RopeCommand,
  RoutingRule,
  ScatterAddRowsCommand,
} from './command.js';
export { byteLengthOf, DTYPES, type DType } from './dtype.js';
export { BackendError, type BackendErrorCode } from './errors.js';
export {
  Recorder,
  type AttentionOptions,
  type ExpertsOptions,
  type Program,
  type RopeOptions,
} from './recorder.js';
export { Tensor, type Storage } from './tensor.js';
export type { WeightMemory, WeightRef, WeightSlice } from './weight.js';
