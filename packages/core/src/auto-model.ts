// The facade's door: a name and options in, a model, its plan or its contents out. Wires the packages
// together; nothing below is done again here.

import type { Checkpoint } from '@airllm/checkpoint';
import { LanguageModel, resolveEosTokenIds } from '@airllm/generate';
import { openLayerStore, type LayerStore, type StoreLayout } from '@airllm/layer-store';
import { resolveModel, type ModelDefinition } from '@airllm/model-zoo';
import type { ShardProgress } from '@airllm/sharder';
import { noGpuReason } from './devices/gpu-hints.js';
import { checkDtype } from './options/check-dtype.js';
import {
  resolveOptions,
  type FromPretrainedOptions,
  type ResolvedOptions,
  type ResolvedShardRequest,
} from './options/resolve-options.js';
import {
  expertMemoryPath,
  isWorthRemembering,
  readExpertUses,
  writeExpertUses,
} from './experts/expert-memory.js';
import { effectiveConfig } from './effective-config.js';
import { availableMemory } from './options/host-memory.js';
import { CoreError } from './errors.js';
import { losslessKernelsFor } from './lossless-kernels.js';
import { machineNotices } from './machine-notices.js';
import { Model } from './model.js';
import { openModelFiles } from './open-checkpoint.js';
import { preparePlan, type ModelPlan, type PreparedPlan } from './plan.js';
import { predict, type ModelPrediction } from './predict.js';
import { openDevice, type DeviceBudget, type OpenedDevice } from './open-device.js';
import { selectBackend, workingBytes } from './select-backend.js';
import { findShards, shardModel } from './shard-model.js';
import { loadTokenizer } from './tokenizer/load-tokenizer.js';
import type { ModelTokenizer } from './tokenizer/model-tokenizer.js';
import { unreadTensorsNotice } from './unread-tensors.js';

/** Room for the JavaScript heap, thread stacks and code to grow between two looks at what the process holds. */
const PROCESS_RESERVE_BYTES = 16 * 1024 * 1024;

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
    const resolved = resolveOptions(options);
    const { checkpoint, definition } = await inspect(idOrPath, resolved, prepareShards);
    for (const notice of definition.notices) resolved.onNotice(`airllm: ${notice}`);
    const tokenizer = await tokenizerOrReason(checkpoint);
    const generationConfig = asRecord(await checkpoint.readJson('generation_config.json'));
    const tokenizerEosIds = tokenizer instanceof CoreError ? [] : tokenizer.eosTokenIds;
    const stored = resolveEosTokenIds({ generationConfig, config: checkpoint.config, tokenizerEosIds });
    // Tokenizers of older repositories know the ends of turns, which their generation_config.json does not name.
    const eosTokenIds = new Set([...stored, ...tokenizerEosIds]);
    const { backend, budget: device } = await open(resolved);
    let store: LayerStore | undefined;
    try {
      const prepared = plan(checkpoint, definition, resolved, device);
      const { tensorNames } = prepared.layout;
      const unread = unreadTensorsNotice(checkpoint.tensors.keys(), tensorNames, definition);
      if (unread !== undefined) resolved.onNotice(`airllm: ${unread}`);
      const opened = await openLayerStore({
        layout: prepared.layout,
        budgetBytes: prepared.weightBudget.hostBytes,
        device: backend.deviceMemory && {
          memory: backend.deviceMemory,
          budgetBytes: prepared.weightBudget.deviceBytes,
        },
        allocate: (byteLength) => backend.allocateWeights(byteLength),
        prefetch: resolved.prefetching,
        lossless: resolved.packPinned ? losslessKernelsFor(backend) : undefined,
      });
      store = opened;
      const { hostBytes } = resolved;
      // What a device shares with the host is the device's.
      const ownHostBytes = hostBytes - (device?.sharedBytes ?? 0);
      const availableBytes = availableMemory() + process.memoryUsage.rss();
      const { bufferedReason } = opened;
      const { fallbackReason: readFallbackReason } = opened.reading;
      const machine = { hostBytes, availableBytes, bufferedReason, readFallbackReason };
      for (const notice of machineNotices(machine)) resolved.onNotice(`airllm: ${notice}`);
      const runner = new LanguageModel({
        definition,
        backend,
        store: opened,
        memoryBytes: (writtenRunBytes) =>
          ownHostBytes - processBytes(opened.writtenBytes + writtenRunBytes, resolved),
        plannedMemoryBytes: ownHostBytes - prepared.plan.processBytes,
        reservedRunBytes: prepared.reservedRun.hostBytes,
        device: device && {
          memoryBytes: device.limitBytes - device.ownBytes,
          reservedRunBytes: prepared.reservedRun.deviceBytes,
        },
        maxSequenceTokens: prepared.plan.maxSequenceTokens,
        eosTokenIds: [...eosTokenIds],
        generationConfig,
        decoder: tokenizer instanceof CoreError ? undefined : tokenizer,
      });
      return new Model({
        checkpoint,
        backend,
        store: opened,
        runner,
        plan: prepared.plan,
        vocabSize: definition.sizes.vocabSize,
        tokenizer,
        onClose: await warmFromMemory(opened, prepared.layout, resolved),
        onProfile: resolved.profilingMode ? resolved.onNotice : undefined,
      });
    } catch (error) {
      await store?.[Symbol.asyncDispose]();
      await backend[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What {@link fromPretrained} would hold and read with these options; loads nothing. */
  static async plan(idOrPath: string, options: FromPretrainedOptions = {}): Promise<ModelPlan> {
    const resolved = resolveOptions(options);
    const { checkpoint, definition } = await inspect(idOrPath, resolved);
    // Only a device with memory of its own has to be asked for it.
    const inHostMemory =
      ['cpu', 'reference'].includes(resolved.device) ||
      (resolved.device === 'auto' && noGpuReason() !== undefined);
    const opened = resolved.deviceMemory || !inHostMemory ? await open(resolved) : undefined;
    await using _ = opened?.backend;
    return plan(checkpoint, definition, resolved, opened?.budget).plan;
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
    const { backend, budget } = await open(resolved);
    await using _ = backend;
    // Awaited here: the backend is closed on leaving.
    const kernels = resolved.packPinned ? losslessKernelsFor(backend) : undefined;
    return await predict(plan(checkpoint, definition, resolved, budget), backend, kernels);
  }

  /** The checkpoint's tensors and the architecture they belong to; loads nothing. */
  static async inspect(idOrPath: string, options: FromPretrainedOptions = {}): Promise<InspectedModel> {
    return inspect(idOrPath, resolveOptions(options));
  }
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

function open(options: ResolvedOptions): Promise<OpenedDevice> {
  return openDevice({
    request: options.deviceMemory,
    hostBytes: options.hostBytes,
    select: (deviceBytes) => selectBackend({ ...options, deviceBytes }),
    onNotice: options.onNotice,
  });
}

function plan(
  checkpoint: Checkpoint,
  definition: ModelDefinition,
  options: ResolvedOptions,
  device: DeviceBudget | undefined,
): PreparedPlan {
  return preparePlan({
    definition,
    tensors: checkpoint.tensors,
    hostBytes: options.hostBytes,
    processBytes: processBytes(0, options),
    device,
    maxSeqLen: options.maxSeqLen,
  });
}

/** What the process takes beside `writtenBytes` of weights and runs that it has committed, with room to grow. */
function processBytes(writtenBytes: number, options: ResolvedOptions): number {
  const beside = Math.max(0, process.memoryUsage.rss() - writtenBytes);
  return beside + PROCESS_RESERVE_BYTES + workingBytes(options);
}

/** Begins to read the experts that earlier runs used most; returns what remembers those of this run. */
async function warmFromMemory(
  store: LayerStore,
  layout: StoreLayout,
  { rememberExperts, prefetching, onNotice }: ResolvedOptions,
): Promise<(() => Promise<void>) | undefined> {
  if (!rememberExperts || !isWorthRemembering(layout)) return undefined;
  const path = await expertMemoryPath(layout.embedding.path, layout);
  if (prefetching) void store.warmExperts(await readExpertUses(path, layout, onNotice));
  return () => writeExpertUses(path, store.expertUses(), onNotice);
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
