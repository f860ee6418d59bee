// The facade's door: a name and options in, a model, its plan or its contents out. Wires the packages
// together; nothing below is done again here.

import type { Checkpoint } from '@airllm/checkpoint';
import { LanguageModel, resolveEosTokenIds } from '@airllm/generate';
import { resolveModel, type ModelDefinition } from '@airllm/model-zoo';
import type { ShardProgress } from '@airllm/sharder';
import { noGpuReason } from './devices/gpu-hints.js';
import { effectiveConfig } from './effective-config.js';
import type { DeviceName } from './engine/fallback-steps.js';
import type { OpenedEngine } from './engine/open-engine.js';
import { openEngines } from './engine/open-engines.js';
import { openOptionsDevice, planEngine, processBytes, type EngineSource } from './engine/plan-engine.js';
import { CoreError } from './errors.js';
import { losslessKernelsFor } from './lossless-kernels.js';
import { machineNotices } from './machine-notices.js';
import { Model } from './model.js';
import { openModelFiles } from './open-checkpoint.js';
import { checkDtype } from './options/check-dtype.js';
import { availableMemory } from './options/host-memory.js';
import {
  resolveOptions,
  type FromPretrainedOptions,
  type ResolvedOptions,
  type ResolvedShardRequest,
} from './options/resolve-options.js';
import type { ModelPlan } from './plan.js';
import { predict, type ModelPrediction } from './predict.js';
import type { selectBackend } from './select-backend.js';
import { findShards, shardModel } from './shard-model.js';
import { loadTokenizer } from './tokenizer/load-tokenizer.js';
import type { ModelTokenizer } from './tokenizer/model-tokenizer.js';
import { unreadTensorsNotice } from './unread-tensors.js';

/** A checkpoint that was looked at but not loaded. */
export interface InspectedModel {
  readonly checkpoint: Checkpoint;
  readonly definition: ModelDefinition;
}

export class AutoModel {
  /**
   * Opens a model: a local folder, a .gguf file, or a hub id through the cache shared with Python. Weights stay
   * where they are and are read as the first run comes to them.
   *
   * @throws CheckpointError, ModelError, CoreError, LayerStoreError, BackendError: each says what to do
   * @example
   * await using model = await AutoModel.fromPretrained('path/or/hub-id', { memory: { host: '512MB' } });
   * for await (const { text } of model.stream('Once upon a time')) process.stdout.write(text);
   */
  static async fromPretrained(idOrPath: string, options: FromPretrainedOptions = {}): Promise<Model> {
    return openModel(idOrPath, resolveOptions(options));
  }

  /** What {@link fromPretrained} would hold and read with these options; loads nothing. */
  static async plan(idOrPath: string, options: FromPretrainedOptions = {}): Promise<ModelPlan> {
    const resolved = resolveOptions(options);
    const { checkpoint, definition } = await inspect(idOrPath, resolved);
    // Only a device with memory of its own has to be asked for it.
    const inHostMemory =
      ['cpu', 'reference'].includes(resolved.device) ||
      (resolved.device === 'auto' && noGpuReason() !== undefined);
    const opened = resolved.deviceMemory || !inHostMemory ? await openOptionsDevice(resolved) : undefined;
    await using _ = opened?.backend;
    const source = { checkpoint, definition, options: resolved };
    return planEngine(source, opened?.budget, processBytes(0, resolved)).plan;
  }

  /**
   * {@link plan} with the seconds that a token would take, from half a second of reading this model's files and a short
   * look at the memory. A disk that was never measured is first tuned for another half second: the depth and size of
   * requests it is fastest with are remembered for all later runs.
   *
   * @throws as {@link fromPretrained}
   */
  static async predict(idOrPath: string, options: FromPretrainedOptions = {}): Promise<ModelPrediction> {
    const resolved = resolveOptions(options);
    const { checkpoint, definition } = await inspect(idOrPath, resolved);
    const { backend, budget } = await openOptionsDevice(resolved);
    await using _ = backend;
    // Awaited here: the backend is closed on leaving.
    const kernels = resolved.packPinned ? losslessKernelsFor(backend) : undefined;
    const source = { checkpoint, definition, options: resolved };
    return await predict(planEngine(source, budget, processBytes(0, resolved)), backend, kernels);
  }

  /** The checkpoint's tensors and the architecture they belong to; loads nothing. */
  static async inspect(idOrPath: string, options: FromPretrainedOptions = {}): Promise<InspectedModel> {
    return inspect(idOrPath, resolveOptions(options));
  }
}

/**
 * {@link AutoModel.fromPretrained} with options that are resolved.
 *
 * @param machine what opens devices, and which there are to fall back to. Default: this machine's
 */
export async function openModel(
  idOrPath: string,
  resolved: ResolvedOptions,
  { select, devices }: { select?: typeof selectBackend; devices?: AsyncGenerator<DeviceName> } = {},
): Promise<Model> {
  const { checkpoint, definition } = await inspect(idOrPath, resolved, prepareShards);
  for (const notice of definition.notices) resolved.onNotice(`airllm: ${notice}`);
  const tokenizer = await tokenizerOrReason(checkpoint);
  const generationConfig = asRecord(await checkpoint.readJson('generation_config.json'));
  const tokenizerEosIds = tokenizer instanceof CoreError ? [] : tokenizer.eosTokenIds;
  const stored = resolveEosTokenIds({ generationConfig, config: checkpoint.config, tokenizerEosIds });
  // Tokenizers of older repositories know the ends of turns, which their generation_config.json does not name.
  const eosTokenIds = new Set([...stored, ...tokenizerEosIds]);
  const source = { checkpoint, definition, options: resolved, select };
  const engines = await openEngines(source, devices);
  const { engine } = engines;
  announce(source, engine);
  const runner = new LanguageModel({
    ...engine,
    definition,
    maxSequenceTokens: engine.plan.maxSequenceTokens,
    eosTokenIds: [...eosTokenIds],
    generationConfig,
    decoder: tokenizer instanceof CoreError ? undefined : tokenizer,
    recover: resolved.onDeviceLost === 'fallback' ? engines.recover : undefined,
  });
  return new Model({
    checkpoint,
    engines,
    runner,
    vocabSize: definition.sizes.vocabSize,
    tokenizer,
    onProfile: resolved.profilingMode ? resolved.onNotice : undefined,
  });
}

/** Where shards are asked for, `toShards` says in which folder they are. */
async function inspect(
  idOrPath: string,
  options: ResolvedOptions,
  toShards: (
    id: string,
    request: ResolvedShardRequest,
    options: ResolvedOptions,
  ) => Promise<string> = findRequested,
): Promise<InspectedModel> {
  const folder = options.shards && (await toShards(idOrPath, options.shards, options));
  const opened = await openModelFiles(folder ?? idOrPath, options.checkpoint);
  const checkpoint = { ...opened, id: idOrPath };
  const definition = resolveModel(await effectiveConfig(checkpoint), checkpoint);
  checkDtype(options.dtype, checkpoint.config);
  return { checkpoint, definition };
}

function findRequested(id: string, request: ResolvedShardRequest, options: ResolvedOptions): Promise<string> {
  return findShards(id, { ...request, checkpoint: options.checkpoint });
}

/** Shards on first use; later it finds them. */
async function prepareShards(
  id: string,
  request: ResolvedShardRequest,
  { checkpoint, onNotice }: ResolvedOptions,
): Promise<string> {
  let told = request.onProgress !== undefined;
  const onProgress = (progress: ShardProgress): void => {
    if (!told) onNotice(`airllm: sharding ${id} (${request.format}), once`);
    told = true;
    request.onProgress?.(progress);
  };
  return (await shardModel(id, { ...request, checkpoint, onProgress })).folder;
}

/** What the user should know of the model and the machine, once. */
function announce({ checkpoint, definition, options }: EngineSource, { layout, store }: OpenedEngine): void {
  const { hostBytes, onNotice } = options;
  const unread = unreadTensorsNotice(checkpoint.tensors.keys(), layout.tensorNames, definition);
  const availableBytes = availableMemory() + process.memoryUsage.rss();
  const { bufferedReason } = store;
  const { fallbackReason: readFallbackReason } = store.reading;
  const machine = { hostBytes, availableBytes, bufferedReason, readFallbackReason };
  for (const notice of [...(unread === undefined ? [] : [unread]), ...machineNotices(machine)])
    onNotice(`airllm: ${notice}`);
}

/** Token ids work without a tokenizer, so its absence is an error only when text is asked for. */
async function tokenizerOrReason(checkpoint: Checkpoint): Promise<ModelTokenizer | CoreError> {
  try {
    return await loadTokenizer(checkpoint);
  } catch (error) {
    if (error instanceof CoreError && error.code === 'MISSING_TOKENIZER') return error;
    throw error;
  }
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
