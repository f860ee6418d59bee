// The golden cases, opened as models on the reference backend, with everything they hold counted.

import { readdirSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Backend, DeviceMemory } from '@airllm/backend';
import { createReferenceBackend } from '@airllm/backend/reference';
import { caseNames, fixturesFolder, readGoldenPrompts } from '@airllm/fixtures';
import {
  layOutStore,
  minimumStoreBytes,
  openLayerStore,
  type LayerStore,
  type StoredTensor,
  type StoreLayout,
} from '@airllm/layer-store';
import { listWeights, resolveModel, type ModelDefinition } from '@airllm/model-zoo';
import { readHeader, readTensor } from 'safetensors-js';
import type { Engine } from '../src/run/engine.js';
import { LanguageModel, type LanguageModelOptions } from '../src/run/language-model.js';
import type { GenerationOptions } from '../src/run/generation-options.js';
import type { TokenEvent } from '../src/run/token-event.js';

export interface GoldenPrompt {
  readonly input_ids: number[];
  /** 24 ids, end-of-sequence tokens ignored. */
  readonly greedy: number[];
}

export interface GoldenCase {
  readonly folder: string;
  readonly definition: ModelDefinition;
  readonly prompts: readonly GoldenPrompt[];
  /** Reference logits [tokens, vocabulary] of a prompt. */
  readLogits(prompt: number): Promise<Float32Array>;
}

/** The cases that can be read in place; other formats are a matter of those who convert them. */
export const safetensorsCases = caseNames.filter((name) =>
  readdirSync(join(fixturesFolder, name)).some(isWeightsFile),
);

type Json = Record<string, unknown>;

const readJson = async (path: string): Promise<Json> => JSON.parse(await readFile(path, 'utf8')) as Json;

/** @param changes to config.json, for what no reference exists of */
export async function readCase(name: string, changes: Json = {}): Promise<GoldenCase> {
  const folder = join(fixturesFolder, name);
  const config = await readJson(join(folder, 'config.json'));
  return {
    folder,
    definition: resolveModel({ ...config, ...changes }),
    prompts: readGoldenPrompts(name),
    readLogits: async (prompt) => {
      const path = join(folder, 'golden.safetensors');
      const tensor = (await readHeader(path)).tensors.get(`logits.${prompt}`);
      if (!tensor) throw new Error(`Expected logits.${prompt} in ${path}`);
      return new Float32Array((await readTensor(path, tensor)).buffer);
    },
  };
}

/** What a model holds beside its weights. */
export interface Held {
  /** Arenas and KV caches not given back. */
  runs: number;
  /** Tiles not released. */
  leases: number;
  /** Weight memory not given back, on the device included. */
  weightBytes: number;
  /** What is pinned on the device, now and at most. */
  deviceBytes: number;
  peakDeviceBytes: number;
}

function countBackend(held: Held): Backend {
  const backend = createReferenceBackend();
  const { createArena, createKvCache, allocateWeights } = backend;
  const counted = <T extends { dispose(): void }>(part: T, field: keyof Held, amount: number): T => {
    const dispose = part.dispose.bind(part);
    held[field] += amount;
    return Object.assign(part, {
      dispose: () => {
        held[field] -= amount;
        dispose();
      },
    });
  };
  return Object.assign(backend, {
    createArena: (elements: number) => counted(createArena.call(backend, elements), 'runs', 1),
    createKvCache: (shape: Parameters<typeof createKvCache>[0]) =>
      counted(createKvCache.call(backend, shape), 'runs', 1),
    allocateWeights: (bytes: number) => counted(allocateWeights.call(backend, bytes), 'weightBytes', bytes),
  });
}

/** A device with memory of its own, made of the reference backend's: what is pinned there is counted. */
function createDevice(backend: Backend, held: Held): Pick<DeviceMemory, 'pin'> {
  return {
    pin: (memory) => {
      const { byteLength } = memory;
      const copy = backend.allocateWeights(byteLength);
      copy.bytes.set(memory.bytes);
      const dispose = copy.dispose.bind(copy);
      held.deviceBytes += byteLength;
      held.peakDeviceBytes = Math.max(held.peakDeviceBytes, held.deviceBytes);
      return Promise.resolve(
        Object.assign(copy, {
          dispose: () => {
            held.deviceBytes -= byteLength;
            dispose();
          },
        }),
      );
    },
  };
}

function countLeases(store: LayerStore, held: Held): void {
  const count = <T extends { release(): void } | undefined>(lease: T): T => {
    if (!lease) return lease;
    held.leases += 1;
    const release = lease.release.bind(lease);
    return Object.assign(lease, {
      release: () => {
        held.leases -= 1;
        release();
      },
    });
  };
  const { tryAcquire, acquire } = store;
  Object.assign(store, {
    tryAcquire: (tile: number) => count(tryAcquire.call(store, tile)),
    acquire: async (tile: number) => count(await acquire.call(store, tile)),
  });
}

export interface OpenOptions extends Partial<
  Pick<LanguageModelOptions, 'eosTokenIds' | 'decoder' | 'maxSequenceTokens' | 'generationConfig' | 'recover'>
> {
  /** Of the weights beyond the smallest budget. Default 1. */
  share?: number;
  /** Of dense tiles and what always stays, on a device with memory of its own. Default: there is none. */
  deviceShare?: number;
  prefetch?: boolean;
  /** Default 32768. */
  tileBytes?: number;
  /** Bytes reserved for runs. Default plenty. */
  reservedRunBytes?: number;
  /** Where the weights lie, if not in the case's own folder. */
  folder?: string;
  /** Has the backend do other than it would. */
  alter?: (backend: Backend) => void;
}

export interface OpenModel extends AsyncDisposable {
  readonly model: LanguageModel;
  /** What the model computes with. */
  readonly engine: Engine;
  readonly store: LayerStore;
  readonly layout: StoreLayout;
  readonly backend: Backend;
  readonly held: Held;
  /** The smallest budget for weights, and the one that holds all of them. */
  readonly minimumBytes: number;
  readonly everythingBytes: number;
}

export async function openModel(golden: GoldenCase, options: OpenOptions = {}): Promise<OpenModel> {
  const { share = 1, deviceShare, prefetch = true, tileBytes = 32768, ...others } = options;
  const { folder = golden.folder, reservedRunBytes = 1e9, alter, ...rest } = others;
  const { definition } = golden;
  const layout = layOutStore({
    ...listWeights(definition),
    shuffledGroups: definition.shuffledGroups,
    tensors: await readTensors(folder),
    tileBytes,
  });
  const minimumBytes = minimumStoreBytes(layout, { onDevice: deviceShare !== undefined });
  const tiles = [...layout.denseTiles, ...layout.expertTiles.values()];
  const everythingBytes = layout.fixedBytes + tiles.reduce((sum, tile) => sum + tile.bufferBytes, 0);
  const placeableBytes =
    layout.residents.byteLength + layout.denseTiles.reduce((sum, tile) => sum + tile.bufferBytes, 0);
  const budgetBytes = Math.floor(minimumBytes + share * (everythingBytes - minimumBytes));
  const held: Held = { runs: 0, leases: 0, weightBytes: 0, deviceBytes: 0, peakDeviceBytes: 0 };
  const backend = countBackend(held);
  alter?.(backend);
  const deviceBudget = deviceShare === undefined ? undefined : Math.floor(deviceShare * placeableBytes);
  const device =
    deviceBudget === undefined
      ? undefined
      : { memory: createDevice(backend, held), budgetBytes: deviceBudget };
  const store = await openLayerStore({
    layout,
    budgetBytes,
    allocate: (byteLength) => backend.allocateWeights(byteLength),
    prefetch,
    device,
  });
  countLeases(store, held);
  const engine: Engine = {
    backend,
    store,
    memoryBytes: () => budgetBytes + reservedRunBytes,
    plannedMemoryBytes: budgetBytes + reservedRunBytes,
    reservedRunBytes,
    device:
      deviceBudget === undefined
        ? undefined
        : { memoryBytes: deviceBudget + reservedRunBytes, reservedRunBytes },
  };
  const model = new LanguageModel({
    ...engine,
    definition,
    maxSequenceTokens: 128,
    eosTokenIds: [],
    ...rest,
  });
  return {
    model,
    engine,
    store,
    layout,
    backend,
    held,
    minimumBytes,
    everythingBytes,
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]();
      await backend[Symbol.asyncDispose]();
    },
  };
}

function isWeightsFile(file: string): boolean {
  return file.endsWith('.safetensors') && file !== 'golden.safetensors';
}

async function readTensors(folder: string): Promise<Map<string, StoredTensor>> {
  const tensors = new Map<string, StoredTensor>();
  for (const file of await readdir(folder)) {
    if (!isWeightsFile(file)) continue;
    const path = join(folder, file);
    for (const [name, tensor] of (await readHeader(path)).tensors)
      tensors.set(name, { ...tensor, name, path });
  }
  return tensors;
}

/** Ids generated for every prompt. */
export async function generate(
  model: LanguageModel,
  prompts: readonly (readonly number[])[],
  options: GenerationOptions = {},
): Promise<number[][]> {
  const ids = prompts.map((): number[] => []);
  for await (const { sequence, tokenId } of model.stream(prompts, { maxNewTokens: 24, ...options }))
    ids[sequence]?.push(tokenId);
  return ids;
}

export async function collect(stream: AsyncIterable<TokenEvent>): Promise<TokenEvent[]> {
  const events: TokenEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}
