// The plan: what a model will hold in memory and read from disk under a budget, computed from headers
// alone, before anything is loaded.

import { demandOf, sizeRun, type RunDemand, type RunSize } from '@airllm/generate';
import {
  layOutStore,
  LayerStoreError,
  minimumStoreBytes,
  placeStore,
  tileBytesFor,
  type StorePlacement,
  type StoredTensor,
  type StoreLayout,
  type WeightBudget,
} from '@airllm/layer-store';
import { listWeights, type ModelDefinition } from '@airllm/model-zoo';
import { divideDevice, planDevice, type DevicePlan } from './device-plan.js';
import { CoreError } from './errors.js';
import type { DeviceBudget } from './open-device.js';

/** Where the weights of one layer (or the head) live. */
export interface LayerPlan {
  readonly name: string;
  /** Bytes on disk, every expert included. */
  readonly bytes: number;
  /** Kept in the memory of the device, where it has its own. */
  readonly devicePinnedBytes: number;
  /** Kept in host memory. */
  readonly pinnedBytes: number;
  /** Read again for every token. */
  readonly streamedBytes: number;
  /** Read when a token is routed to them and they are not in the cache. */
  readonly expertBytes: number;
  /** Of these, what a token is routed to. */
  readonly routedBytes: number;
}

/** Everything the budget is spent on; all figures in bytes unless named otherwise. */
export interface ModelPlan {
  readonly family: string;
  /** All weights of the model, the embedding included, a tied head once. */
  readonly weightBytes: number;
  /** The budget: what the process stays under; of a device's memory, what it shares with the host. */
  readonly hostBytes: number;
  /** Undefined where ops read the host's memory. */
  readonly device: DevicePlan | undefined;
  /** What the process held when the plan was made, and room for it to grow. */
  readonly processBytes: number;
  /** Tiles that stay in host memory. */
  readonly pinnedBytes: number;
  /** Buffers that tiles pass through: streamed ones, and those on their way to the device. */
  readonly ringBytes: number;
  readonly expertCacheBytes: number;
  /** Norms, biases and buffers for embedding rows. */
  readonly fixedBytes: number;
  /** Of the device's memory where it has its own, as `activationBytes` are. */
  readonly kvBytes: number;
  readonly activationBytes: number;
  readonly logitsBytes: number;
  /** Sequence length `kvBytes` is for; longer runs leave less for pinned weights, shorter ones more. */
  readonly plannedTokens: number;
  /** Longest sequence allowed. */
  readonly maxSequenceTokens: number;
  /** Dense bytes read from disk per pass once pinned tiles are loaded. */
  readonly streamedBytesPerPass: number;
  /** Expert bytes read per token where every expert is routed to as often as the others. */
  readonly expectedExpertBytesPerPass: number;
  /** Bytes of weights that a token is computed with. */
  readonly computedBytesPerPass: number;
  /** The smallest `memory.host` that works for `plannedTokens`. */
  readonly minimumHostBytes: number;
  readonly layers: readonly LayerPlan[];
}

/** A plan with what is needed to carry it out. */
export interface PreparedPlan {
  readonly plan: ModelPlan;
  readonly layout: StoreLayout;
  readonly weightBudget: Required<WeightBudget>;
  /** What no weight may take: the shortest of runs needs it. */
  readonly reservedRun: RunDemand;
}

export interface PlanOptions {
  readonly definition: ModelDefinition;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly hostBytes: number;
  readonly processBytes: number;
  /** Undefined where ops read the host's memory. */
  readonly device: DeviceBudget | undefined;
  readonly maxSeqLen?: number | undefined;
}

/** Sequence length to plan the KV cache for, unless `maxSeqLen` or the model says less. */
const PLANNED_TOKENS = 512;
const FEWEST_PLANNED_TOKENS = 64;
/** Planned KV cache and activations each take at most about this share of the memory. */
const RUN_SHARE = 1 / 8;

/**
 * @throws CoreError `BUDGET_TOO_SMALL` naming the smallest budget that works; LayerStoreError when a weight is
 * missing or has another shape or dtype
 */
export function preparePlan(options: PlanOptions): PreparedPlan {
  const { definition, tensors, hostBytes, processBytes, device } = options;
  const sharedBytes = device?.sharedBytes ?? 0;
  const memoryBytes = hostBytes - processBytes - sharedBytes;
  const onDevice = device !== undefined;
  const maxSequenceTokens = options.maxSeqLen ?? definition.sizes.maxPositions;
  const runMemoryBytes = device ? device.limitBytes - device.ownBytes : memoryBytes;
  const { run, smallest, plannedTokens } = planRun(definition, maxSequenceTokens, runMemoryBytes);
  const demand = demandOf(run, { onDevice });
  const room =
    device && divideDevice(device, { demand, smallest: demandOf(smallest, { onDevice }).deviceBytes });
  const weightBudget = {
    hostBytes: memoryBytes - demand.hostBytes,
    deviceBytes: room?.weightBytes ?? 0,
  };
  const { embedding, stages } = listWeights(definition);
  const storedBytes = [...tensors.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const tileBytes = Math.min(
    tileBytesFor(weightBudget.hostBytes + weightBudget.deviceBytes, storedBytes),
    room?.largestTileBytes ?? Infinity,
  );
  const { shuffledGroups } = definition;
  const layout = layOutStore({ stages, embedding, tensors, tileBytes, shuffledGroups });
  const minimumHostBytes =
    processBytes +
    sharedBytes +
    demand.hostBytes +
    minimumStoreBytes(layout, { onDevice: weightBudget.deviceBytes > 0 });
  const placement = placeWithin(layout, weightBudget, { hostBytes, minimumHostBytes });
  const layers = planLayers(
    layout,
    placement,
    stages.map(({ routedShare }) => routedShare ?? 0),
  );
  const sum = (of: (layer: LayerPlan) => number): number =>
    layers.reduce((total, layer) => total + of(layer), 0);
  const expertCacheBytes = placement.expertSlots * placement.expertSlotBytes;
  const uncached =
    1 -
    Math.min(
      1,
      expertCacheBytes /
        Math.max(
          1,
          sum((layer) => layer.expertBytes),
        ),
    );
  return {
    layout,
    weightBudget,
    reservedRun: demandOf(smallestRun(definition), { onDevice }),
    plan: {
      family: definition.family,
      weightBytes: layout.weightBytes,
      hostBytes,
      device: device && room && planDevice(device, { room, placement, layers, layout }),
      processBytes,
      pinnedBytes: placement.pinnedBytes,
      ringBytes: placement.loadingBytes + placement.ringSlots * placement.ringSlotBytes,
      expertCacheBytes,
      fixedBytes: layout.fixedBytes,
      kvBytes: run.kvBytes,
      activationBytes: run.arenaBytes,
      logitsBytes: run.logitsBytes,
      plannedTokens,
      maxSequenceTokens,
      streamedBytesPerPass: sum((layer) => layer.streamedBytes),
      expectedExpertBytesPerPass: Math.round(uncached * sum((layer) => layer.routedBytes)),
      computedBytesPerPass: sum((layer) => layer.bytes - layer.expertBytes + layer.routedBytes),
      minimumHostBytes,
      layers,
    },
  };
}

/**
 * Sizes a run of one sequence: as long as planned for, shorter where the KV cache would crowd out the weights; and the
 * smallest that a plan may be for.
 */
function planRun(
  definition: ModelDefinition,
  maxSequenceTokens: number,
  memoryBytes: number,
): { run: RunSize; smallest: RunSize; plannedTokens: number } {
  const share = memoryBytes * RUN_SHARE;
  const size = (tokens: number, activationBytes = share): RunSize =>
    sizeRun(definition, { sequenceTokens: [tokens], promptRows: tokens }, activationBytes);
  let plannedTokens = Math.min(maxSequenceTokens, PLANNED_TOKENS);
  const smallest = size(Math.min(plannedTokens, FEWEST_PLANNED_TOKENS), 0);
  let run = size(plannedTokens);
  while (run.kvBytes > share && plannedTokens > FEWEST_PLANNED_TOKENS) {
    plannedTokens = Math.max(FEWEST_PLANNED_TOKENS, Math.floor(plannedTokens / 2));
    run = size(plannedTokens);
  }
  return { run, smallest, plannedTokens };
}

function smallestRun(definition: ModelDefinition): RunSize {
  return sizeRun(definition, { sequenceTokens: [1], promptRows: 1 }, 0);
}

function placeWithin(
  layout: StoreLayout,
  budget: WeightBudget,
  { hostBytes, minimumHostBytes }: { hostBytes: number; minimumHostBytes: number },
): StorePlacement {
  try {
    return placeStore(layout, budget);
  } catch (error) {
    if (!(error instanceof LayerStoreError) || error.code !== 'BUDGET_TOO_SMALL') throw error;
    throw new CoreError(
      'BUDGET_TOO_SMALL',
      `Expected memory.host of at least ${minimumHostBytes} bytes (${Math.ceil(minimumHostBytes / 1e6)}MB) for this model but received ${hostBytes}`,
      { fields: { minimumHostBytes, hostBytes }, cause: error },
    );
  }
}

/** `routedShares` per stage: the share of its experts that a token is routed to. */
function planLayers(
  layout: StoreLayout,
  placement: StorePlacement,
  routedShares: readonly number[],
): LayerPlan[] {
  return layout.stageNames.map((name, stage) => {
    const tiles = layout.denseTiles.filter((tile) => tile.stage === stage);
    const experts = [...layout.expertTiles.values()].filter((tile) => tile.stage === stage);
    const total = (of: readonly { bufferBytes: number }[]): number =>
      of.reduce((sum, tile) => sum + tile.bufferBytes, 0);
    const devicePinnedBytes = total(tiles.filter((tile) => placement.onDevice[tile.index]));
    const pinnedBytes = total(tiles.filter((tile) => placement.pinned[tile.index]));
    const expertBytes = total(experts);
    return {
      name,
      bytes: total(tiles) + expertBytes,
      devicePinnedBytes,
      pinnedBytes,
      streamedBytes: total(tiles) - devicePinnedBytes - pinnedBytes,
      expertBytes,
      routedBytes: Math.round(expertBytes * (routedShares[stage] ?? 0)),
    };
  });
}
